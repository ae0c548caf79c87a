package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.Outcome;
import io.idempotency.kafka.ExpiryHeader;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.store.ClaimStore;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On each database a shadow run leaves what the first real run needs, and the database's clock says what has expired. */
class ShadowAndExpiryTest {

    private static final String PREFIX = "shadow_";

    private final List<String> handled = new ArrayList<>();
    private final List<Outcome> outcomes = Collections.synchronizedList(new ArrayList<>());

    private static ConsumerRecord<String, String> record(long offset, String id) {
        ConsumerRecord<String, String> record = new ConsumerRecord<>("orders", 0, offset, "key", id);
        record.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
        return record;
    }

    private static ConsumerRecord<String, String> expiring(long offset, String id, Instant at) {
        ConsumerRecord<String, String> record = record(offset, id);
        record.headers().add("expires", at.toString().getBytes(StandardCharsets.UTF_8));
        return record;
    }

    private IdempotentConsumerBuilder<ConsumerRecord<String, String>> consumer(String name, ClaimStore store) {
        return KafkaRecords.<String, String>consumer(name)
                .store(store)
                .expiry(ExpiryHeader.named("expires"))
                .listener(consumption -> outcomes.add(consumption.outcome()));
    }

    private List<Outcome> consume(
            IdempotentConsumer<ConsumerRecord<String, String>> consumer, List<ConsumerRecord<String, String>> records) {
        outcomes.clear();
        handled.clear();
        consumer.consumeAll(records, (record, claim) -> handled.add(record.value()));
        consumer.close();
        return List.copyOf(outcomes);
    }

    @ParameterizedTest
    @CsvSource({"H2, false", "POSTGRESQL, true", "MARIADB, false"})
    @Tag("rule-8.14")
    @Tag("rule-8.15")
    void theFirstRealRunIsWarm(TestDatabase database, boolean isJournal) {
        try (HikariDataSource pool = database.pool(2)) {
            Migrated.once(pool, PREFIX);
            ClaimStore store = isJournal
                    ? JournalStore.builder(pool).tablePrefix(PREFIX).build()
                    : TableStore.builder(pool).tablePrefix(PREFIX).build();
            String name = "billing-" + System.nanoTime();
            Instant now = store.now();
            List<ConsumerRecord<String, String>> records = List.of(
                    record(0, "a"),
                    record(1, "b"),
                    record(2, "a"),
                    expiring(3, "gone", now.minus(Duration.ofSeconds(1))),
                    expiring(4, "fresh", now.plus(Duration.ofHours(1))));

            assertThat(consume(consumer(name, store).shadow().build(), records))
                    .containsExactly(
                            Outcome.PROCESSED,
                            Outcome.PROCESSED,
                            Outcome.WOULD_SKIP,
                            Outcome.WOULD_EXPIRE,
                            Outcome.PROCESSED);
            assertThat(handled).containsExactly("a", "b", "a", "gone", "fresh");

            assertThat(consume(consumer(name, store).build(), records)).containsOnly(Outcome.DUPLICATE);
            assertThat(handled).isEmpty();

            assertThat(consume(consumer(name + "-cold", store).build(), records))
                    .containsExactly(
                            Outcome.PROCESSED,
                            Outcome.PROCESSED,
                            Outcome.DUPLICATE,
                            Outcome.EXPIRED,
                            Outcome.PROCESSED);
            assertThat(handled).containsExactly("a", "b", "fresh");
        }
    }
}

package io.idempotency.outage;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Consumption;
import io.idempotency.FailurePolicy;
import io.idempotency.store.Claim;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Handlers that fail now and then, in every way, in several partitions at once. */
@ExtendWith(LongOutage.class)
@Tag("rule-1.3")
@Tag("rule-1.4")
class OrderTest {

    private static final int PARTITIONS = 3;
    private static final int MESSAGES = 30;

    private final Postgres postgres = Postgres.shared();
    private final Watch watch = new Watch();
    private final Map<String, Integer> calls = new ConcurrentHashMap<>();

    @ParameterizedTest
    @CsvSource({"classic, false", "consumer, false", "classic, true", "consumer, true"})
    void everyPartitionHasItsEffectsInTheOrderOfItsOffsets(String protocol, boolean isBatch) {
        String topic = Kafka.topic(PARTITIONS);
        List<Entry> sent = new ArrayList<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            sent.addAll(Kafka.send(topic, partition, "m", MESSAGES));
        }
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 2)) {
            Service.Setup setup = Service.of(ledger, topic)
                    .property("group.protocol", protocol)
                    .with(builder -> builder.failures(
                            FailurePolicy.quarantineAfter(10).backOff(Duration.ofMillis(50), Duration.ofMillis(200))));
            try (Service service = isBatch
                    ? setup.startBatches(watch, (messages, claims) -> together(ledger, messages, claims))
                    : setup.start(watch, (message, claim) -> handle(ledger, message))) {
                service.until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());
            }
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
        }
        assertThat(watch.failures().stream().filter(seen -> !seen.isTransient()))
                .hasSize(PARTITIONS * 2 * 2)
                .extracting(Consumption::attempts)
                .containsOnly(1, 2);
        assertThat(watch.transients()).isPositive();
        watch.assertNothingQuarantined();
    }

    private void together(Ledger ledger, List<ConsumerRecord<String, String>> messages, List<Claim> claims)
            throws SQLException {
        assertThat(claims).hasSameSizeAs(messages);
        for (ConsumerRecord<String, String> message : messages) {
            handle(ledger, message);
        }
    }

    /** Fails after the effect, so that one that is not rolled back shows as a double. */
    private void handle(Ledger ledger, ConsumerRecord<String, String> message) throws SQLException {
        ledger.enter(message);
        boolean isBroken = message.offset() == 7 || message.offset() == 20;
        if (isBroken && !hasFailedAloneTwice(message)) {
            throw new IllegalStateException("A business rule says no to " + message.value());
        }
        if (message.offset() == 13 && calls.merge(message.value(), 1, Integer::sum) == 1) {
            loseTheSession(ledger);
        }
    }

    private boolean hasFailedAloneTwice(ConsumerRecord<String, String> message) {
        return watch.of(message.value()).stream()
                        .filter(seen -> seen.attempts() > 0)
                        .count()
                >= 2;
    }

    private static void loseTheSession(Ledger ledger) throws SQLException {
        try (Connection connection = ledger.joined().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("select pg_terminate_backend(pg_backend_pid())");
        }
    }
}

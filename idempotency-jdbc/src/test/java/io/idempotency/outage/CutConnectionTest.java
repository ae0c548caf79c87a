package io.idempotency.outage;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Duplicate;
import io.idempotency.DuplicateCache;
import io.idempotency.Outcome;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.store.MessageId;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A connection that breaks during a statement, so that nobody here knows how it ended. */
@ExtendWith(LongOutage.class)
class CutConnectionTest {

    private static final String LAST = "m-0-9";

    private final Postgres postgres = Postgres.shared();
    private final Watch watch = new Watch();
    private final AtomicInteger handled = new AtomicInteger();
    private final Queue<String> cachedTooEarly = new ConcurrentLinkedQueue<>();

    @ParameterizedTest
    @EnumSource(names = "NEVER", mode = EnumSource.Mode.EXCLUDE)
    @Tag("rule-1.2")
    void theRedeliveryDecidesAboutACommit(Cutter.Cut cut) throws IOException {
        boolean isCommitted = cut == Cutter.Cut.AFTER_THE_SERVER_DID_IT;
        String topic = Kafka.topic(1);
        List<Entry> sent = Kafka.send(topic, 0, "m", 10);
        try (Cutter cutter = new Cutter(postgres);
                Ledger ledger = Ledger.open(Ledger.anyConsumer(), cutter.url(), 2)) {
            DuplicateCache cache = new Suspicious(CaffeineCache.create(), ledger.consumer());
            Service service = Service.of(ledger, topic)
                    .with(builder -> builder.cache(cache))
                    .start(watch, (message, claim) -> {
                        ledger.enter(message);
                        if (message.value().equals(LAST) && handled.getAndIncrement() == 0) {
                            cutter.cutNext(Cutter.COMMIT, cut);
                        }
                    });
            try (service) {
                service.until(() ->
                        watch.of(LAST).stream().anyMatch(seen -> seen.outcome().isSettled()));
                service.until(() -> Kafka.committedOfFirst(service.group()) == 10);
            }
            assertThat(cutter.isArmed()).isFalse();
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            assertThat(cachedTooEarly).isEmpty();
            assertThat(sent)
                    .allMatch(entry -> cache.find(new MessageId(ledger.consumer(), entry.id()))
                            .isPresent());
        }
        assertThat(watch.transients()).isEqualTo(1);
        assertThat(handled).hasValue(isCommitted ? 1 : 2);
        assertThat(watch.of(LAST))
                .last()
                .extracting(Consumption::outcome)
                .isEqualTo(isCommitted ? Outcome.DUPLICATE : Outcome.PROCESSED);
        assertThat(watch.duplicates()).allMatch(kind -> kind == Duplicate.Kind.REDELIVERY);
        watch.assertNothingCounted();
    }

    @ParameterizedTest
    @CsvSource({
        "STRONG, BEFORE_THE_SERVER_SEES_IT",
        "STRONG, AFTER_THE_SERVER_DID_IT",
        "AT_LEAST_ONCE, BEFORE_THE_SERVER_SEES_IT",
        "AT_LEAST_ONCE, AFTER_THE_SERVER_DID_IT"
    })
    @Tag("rule-1.4")
    void aClaimRunsAgain(ConsistencyLevel level, Cutter.Cut cut) throws IOException {
        String topic = Kafka.topic(1);
        List<Entry> sent = Kafka.send(topic, 0, "m", 10);
        try (Cutter cutter = new Cutter(postgres);
                Ledger ledger = Ledger.open(Ledger.anyConsumer(), cutter.url(), 2)) {
            cutter.cutNext(Cutter.CLAIM, cut);
            Service service = Service.of(ledger, topic)
                    .with(builder -> builder.level(level).lease(Duration.ofSeconds(2)))
                    .start(watch, (message, claim) -> ledger.enter(message));
            try (service) {
                service.until(() -> Kafka.committedOfFirst(service.group()) == 10);
            }
            assertThat(cutter.isArmed()).isFalse();
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
        }
        assertThat(watch.transients()).isEqualTo(1);
        watch.assertNothingCounted();
    }

    /** Looks into the database, over a connection of its own, whether what is to be remembered is committed there. */
    private final class Suspicious implements DuplicateCache {

        private final DuplicateCache cache;
        private final String consumer;

        Suspicious(DuplicateCache cache, String consumer) {
            this.cache = cache;
            this.consumer = consumer;
        }

        @Override
        public Optional<Known> find(MessageId id) {
            return cache.find(id);
        }

        @Override
        public void remember(MessageId id, Known known) {
            if (postgres.effects(consumer).stream()
                    .noneMatch(effect -> effect.id().equals(id.value()))) {
                cachedTooEarly.add(id.value());
            }
            cache.remember(id, known);
        }

        @Override
        public void forget(MessageId id) {
            cache.forget(id);
        }
    }
}

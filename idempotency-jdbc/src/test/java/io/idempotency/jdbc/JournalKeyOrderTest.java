package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageReader;
import io.idempotency.Outcome;
import io.idempotency.Replayer;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineSelection;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The order of keys with journals, over processes that come and go. The key is the first letter of the id. */
class JournalKeyOrderTest {

    private static final String PREFIX = "journal_keys_";

    private final String name = "c-" + UUID.randomUUID();
    private final List<String> handled = new CopyOnWriteArrayList<>();

    private static final MessageReader<Delivery> READER = new MessageReader<>() {
        @Override
        public Position position(Delivery delivery) {
            return delivery.position();
        }

        @Override
        public Payload payload(Delivery delivery) {
            return new Payload(null, new byte[0], List.of(), Payload.Origin.RAW);
        }
    };

    /** One process, with nothing in its memory. */
    private final class Node implements AutoCloseable {

        private final HikariDataSource pool;
        private final JournalStore store;
        private final JdbcQuarantine quarantine;
        private final JdbcReplays replays;
        private final IdempotentConsumer<Delivery> consumer;

        Node(TestDatabase database, ConsistencyLevel level) {
            pool = database.pool(4);
            Migrated.once(pool, PREFIX);
            store = JournalStore.builder(pool).tablePrefix(PREFIX).build();
            quarantine = JdbcQuarantine.on(pool).tablePrefix(PREFIX);
            replays = JdbcReplays.on(pool).tablePrefix(PREFIX);
            consumer = IdempotentConsumer.<Delivery>named(name)
                    .level(level)
                    .store(store)
                    .messageId(delivery -> Optional.of(delivery.id().value()))
                    .reader(READER)
                    .quarantine(quarantine)
                    .failures(FailurePolicy.quarantineAfter(1))
                    .keyOrder(delivery -> Optional.of(delivery.id().value().substring(0, 1)))
                    .build();
        }

        Outcome consume(String id, long offset) {
            return consumer.consume(at(id, offset), (delivery, claim) -> {
                if (id.equals("a1")) {
                    throw new IllegalArgumentException("poison");
                }
                handled.add(id);
            });
        }

        void replayAll() {
            var unused = replays.request(ReplayRequest.of(QuarantineSelection.of(name))
                    .perSecond(10_000)
                    .acceptRepeatedEffects());
            try (Replayer<Delivery> replayer = Replayer.of(consumer, replays)) {
                replayer.start((entry, replay) -> replayer.consumer()
                        .consume(
                                entry.message().delivery(),
                                (delivery, claim) -> handled.add(delivery.id().value())));
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> quarantine.list(name, 1).isEmpty());
            }
        }

        void age() {
            TestDatabase.passTime(pool, PREFIX, Duration.ofDays(2));
            store.forgetWindows();
        }

        void purge() {
            while (store.purge(Duration.ofDays(1), 100) > 0) {
                // Until nothing is old.
            }
        }

        @Override
        public void close() {
            consumer.close();
            pool.close();
        }
    }

    private Delivery at(String id, long offset) {
        return new Delivery(new MessageId(name, id), new Position("orders", 0, offset));
    }

    @ParameterizedTest
    @CsvSource({"POSTGRESQL, STRONG", "POSTGRESQL, AT_MOST_ONCE", "MARIADB, STRONG", "H2, STRONG", "H2, AT_MOST_ONCE"})
    @Tag("rule-10.1")
    @Tag("rule-10.6")
    void isKeptOverRestartsBetweenQuarantineAndReplay(TestDatabase database, ConsistencyLevel level) {
        try (Node first = new Node(database, level)) {
            assertThat(first.consume("a1", 1)).isEqualTo(Outcome.QUARANTINED);
            assertThat(first.consume("a2", 2)).isEqualTo(Outcome.QUARANTINED);
            assertThat(first.consume("b1", 3)).isEqualTo(Outcome.PROCESSED);
        }
        try (Node second = new Node(database, level)) {
            assertThat(second.consume("a2", 2)).isEqualTo(Outcome.QUARANTINED);
            assertThat(second.consume("a3", 4)).isEqualTo(Outcome.QUARANTINED);
            second.age();
            assertThat(second.consume("b2", 5)).isEqualTo(Outcome.PROCESSED);
            second.purge();
        }
        assertThat(handled).containsExactly("b1", "b2");
        try (Node third = new Node(database, level)) {
            third.replayAll();
            assertThat(handled).containsExactly("b1", "b2", "a1", "a2", "a3");
            assertThat(third.consume("a4", 6)).isEqualTo(Outcome.PROCESSED);
        }
        try (Node fourth = new Node(database, level)) {
            for (String id : List.of("a1", "a2", "a3", "a4")) {
                assertThat(fourth.consume(id, 6)).isEqualTo(Outcome.DUPLICATE);
            }
            assertThat(fourth.consume("a5", 7)).isEqualTo(Outcome.PROCESSED);
        }
        assertThat(handled).containsExactly("b1", "b2", "a1", "a2", "a3", "a4", "a5");
    }
}

package io.idempotency.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.TestDatabase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.springframework.jdbc.core.JdbcTemplate;

/** Outputs of a process without a relay: on PostgreSQL it tells the relays of others, elsewhere they look. */
@Tag("rule-11.6")
class OutboxAnnouncementTest {

    private static final Duration NEVER = Duration.ofHours(1);

    /** An outbox as another process has it, with nothing in common but the tables. */
    private static Outbox<String, String> elsewhere(OutboxScene scene) {
        return Outbox.of(
                JdbcOutbox.on(scene.dataSource).tablePrefix(scene.prefix),
                new StringSerializer(),
                new StringSerializer());
    }

    private static List<Integer> listening(OutboxScene scene) {
        return new JdbcTemplate(scene.dataSource)
                .queryForList(
                        "select pid from pg_stat_activity where state = 'idle' and query = ?",
                        Integer.class,
                        "listen " + scene.prefix + "outbox");
    }

    private static int awaitListening(OutboxScene scene, List<Integer> before) {
        return Awaitility.await()
                .until(() -> listening(scene), now -> now.size() == 1 && !before.containsAll(now))
                .get(0);
    }

    private static void awaitSent(OutboxScene scene) {
        Awaitility.await().until(() -> scene.store.total().waiting() == 0);
    }

    @Test
    void wakesARelayElsewhere() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL);
                OutboxRelay relay = scene.relay(scene.store).interval(NEVER).start()) {
            awaitListening(scene, List.of());
            Outbox<String, String> outbox = elsewhere(scene);

            scene.transactions.inTransaction(() -> outbox.send(scene.topic, "k", "of a transaction"));
            awaitSent(scene);
            outbox.send(scene.topic, "k", "alone");
            awaitSent(scene);

            assertThat(relay.trouble()).isEmpty();
            assertThat(scene.receivedValues()).containsExactly("of a transaction", "alone");
        }
    }

    @Test
    void wakesARelayAfterTheLossOfItsConnection() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL);
                OutboxRelay relay = scene.relay(scene.store).interval(NEVER).start()) {
            int lost = awaitListening(scene, List.of());

            new JdbcTemplate(scene.dataSource).queryForList("select pg_terminate_backend(?)", lost);
            awaitListening(scene, List.of(lost));
            elsewhere(scene).send(scene.topic, "k", "sent");
            awaitSent(scene);

            assertThat(relay.trouble()).isEmpty();
        }
    }

    /** Nobody heard the announcement, so the relay looks once when it hears again. */
    @Test
    void findsWhatWasAnnouncedWhileNobodyListened() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL);
                OutboxRelay relay = scene.relay(scene.store).interval(NEVER).start()) {
            int lost = awaitListening(scene, List.of());
            // No commit announces these.
            elsewhere(scene).waking(() -> {}).send(scene.topic, "k", "missed");

            new JdbcTemplate(scene.dataSource).queryForList("select pg_terminate_backend(?)", lost);
            awaitSent(scene);

            assertThat(relay.trouble()).isEmpty();
        }
    }

    @Test
    void returnsItsConnectionAtTheEnd() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            try (OutboxRelay relay = scene.relay(scene.store).interval(NEVER).start()) {
                awaitListening(scene, List.of());
                assertThat(relay.trouble()).isEmpty();
            }

            assertThat(scene.dataSource.getHikariPoolMXBean().getActiveConnections())
                    .isZero();
            Awaitility.await().until(() -> listening(scene).isEmpty());
        }
    }

    @Test
    void doesNotListenIfItIsSwitchedOff() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL);
                OutboxRelay relay = scene.relay(scene.store)
                        .listening(false)
                        .interval(Duration.ofMillis(50))
                        .start()) {
            elsewhere(scene).send(scene.topic, "k", "found");
            awaitSent(scene);

            assertThat(listening(scene)).isEmpty();
            assertThat(relay.trouble()).isEmpty();
        }
    }

    /** A burst of commits is one announcement, or a few. The transactions themselves notify nobody. */
    @Test
    void announcesManyCommitsAtOnce() {
        int commits = 2_000;
        AtomicInteger heard = new AtomicInteger();
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL);
                OutboxStore.Listening listening = scene.store.listen(heard::incrementAndGet)) {
            awaitListening(scene, List.of());
            for (int i = 0; i < commits; i++) {
                scene.store.announce();
            }

            Awaitility.await().until(() -> heard.get() > 1);
            assertThat(heard).hasValueLessThan(commits / 10);
            assertThat(listening).isNotNull();
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.INCLUDE,
            names = {"MARIADB", "H2"})
    void leavesItToRelaysToLookWhereNobodyNotifies(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database);
                OutboxRelay relay = scene.relay(scene.store).start()) {
            elsewhere(scene).send(scene.topic, "k", "found");
            awaitSent(scene);

            assertThat(relay.trouble()).isEmpty();
            Awaitility.await()
                    .until(() -> scene.dataSource.getHikariPoolMXBean().getActiveConnections() == 0);
        }
    }
}

package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two consumers that move money between the same accounts in opposite directions. */
@ExtendWith(LongOutage.class)
@Tag("rule-1.4")
class DeadlockTest {

    private static final int MESSAGES = 30;
    private static final String DEADLOCKS = "select deadlocks from pg_stat_database where datname = 'postgres'";

    private final Postgres postgres = Postgres.shared();
    private final CountDownLatch bothHoldAnAccount = new CountDownLatch(2);

    @Test
    void aDeadlockIsNoAttemptAndEveryEffectHappensOnce() {
        long deadlocksBefore = postgres.number(DEADLOCKS);
        postgres.execute("create table account (name text, balance bigint)");
        postgres.execute("insert into account values ('a', 0), ('b', 0)");
        String topic = Kafka.topic(2);
        Watch watch = new Watch();
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 4);
                Service one = service(ledger, topic, watch);
                Service other = service(ledger, topic, watch)) {
            Kafka.awaitMembersWithOnePartition(one.group(), 2);

            List<Entry> sent = new ArrayList<>(Kafka.send(topic, 0, "move", MESSAGES));
            sent.addAll(Kafka.send(topic, 1, "move", MESSAGES));

            one.until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            assertThat(postgres.number("select balance from account where name = 'a'"))
                    .isEqualTo(sent.size());
            assertThat(postgres.number("select balance from account where name = 'b'"))
                    .isEqualTo(sent.size());
            eventually()
                    .untilAsserted(() -> assertThat(postgres.number(DEADLOCKS)).isGreaterThan(deadlocksBefore));
            assertThat(watch.transients()).isPositive();
            watch.assertNothingCounted();
            assertThat(other.failure()).isEmpty();
        }
    }

    private Service service(Ledger ledger, String topic, Watch watch) {
        return Service.of(ledger, topic)
                .with(builder -> builder.chunk(5, Duration.ofSeconds(5)))
                .start(watch, (message, claim) -> move(ledger, message));
    }

    private void move(Ledger ledger, ConsumerRecord<String, String> message) throws SQLException, InterruptedException {
        ledger.enter(message);
        try (Connection connection = ledger.joined().getConnection()) {
            book(connection, message.partition() == 0 ? "a" : "b");
            bothHoldAnAccount.countDown();
            if (!bothHoldAnAccount.await(Eventually.AT_MOST.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("The other consumer did not come");
            }
            book(connection, message.partition() == 0 ? "b" : "a");
        }
    }

    private static void book(Connection connection, String account) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("update account set balance = balance + 1 where name = ?")) {
            update.setString(1, account);
            update.executeUpdate();
        }
    }
}

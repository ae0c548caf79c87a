package io.idempotency.outage;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.FailurePolicy;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A database that was not prepared, is not there yet, or whose errors a handler hides. */
@ExtendWith(LongOutage.class)
class BrokenStoreTest {

    private final Watch watch = new Watch();

    @Test
    @Tag("rule-5.6")
    void aStoreWithoutTablesIsNamedAndLosesNothing() {
        String topic = Kafka.topic(1);
        List<Entry> sent = Kafka.send(topic, 0, "m", 5);
        Postgres postgres = Postgres.shared();
        postgres.execute("create schema empty");
        String consumer = Ledger.anyConsumer();
        try (Ledger ledger = Ledger.open(consumer, postgres.url() + "&currentSchema=empty", 2);
                Service service = Service.of(ledger, topic).start(watch, (message, claim) -> ledger.enter(message))) {
            service.until(() -> !watch.failures().isEmpty());

            assertThat(watch.failures())
                    .allSatisfy(seen -> assertThat(seen.failure())
                            .hasValueSatisfying(failure -> assertThat(failure)
                                    .isInstanceOf(IdempotencyException.class)
                                    .hasMessageContaining(topic + "-0@0")
                                    .hasMessageContaining("Schema.migrate()")));
        }
        try (Ledger ledger = Ledger.open(consumer, postgres.url(), 2);
                Service service = Service.of(ledger, topic).start(watch, (message, claim) -> ledger.enter(message))) {
            service.until(() -> postgres.effects(consumer).size() >= sent.size());
        }
        Entry.assertSame(postgres.effects(consumer), sent);
        watch.assertNothingCounted();
    }

    @Test
    @Tag("rule-1.4")
    void aDatabaseThatIsDownAtTheStartIsWaitedFor() {
        String topic = Kafka.topic(1);
        List<Entry> sent = Kafka.send(topic, 0, "m", 5);
        try (Postgres postgres = Postgres.start()) {
            postgres.crash();
            try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 2);
                    Service service =
                            Service.of(ledger, topic).start(watch, (message, claim) -> ledger.enter(message))) {
                service.until(() -> watch.transients() >= 2);
                assertThat(watch.failures())
                        .allSatisfy(seen -> assertThat(seen.delivery())
                                .hasToString(ledger.consumer() + "/m-0-0 at " + topic + "-0@0"));

                postgres.comeBack();
                service.until(() -> watch.of("m-0-4").size() == 1);
                Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            }
        }
        watch.assertNothingCounted();
    }

    @Test
    @Tag("rule-1.1")
    @Tag("rule-1.3")
    void aHandlerThatSwallowsADatabaseErrorLosesNothing() {
        String topic = Kafka.topic(1);
        List<Entry> sent = Kafka.send(topic, 0, "m", 9);
        Postgres postgres = Postgres.shared();
        postgres.execute("create table taken (id text primary key)");
        postgres.execute("insert into taken values ('m-0-4')");
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 2);
                Service service = Service.of(ledger, topic)
                        .with(builder -> builder.failures(FailurePolicy.quarantineAfter(100)
                                .backOff(Duration.ofMillis(50), Duration.ofMillis(200))))
                        .start(watch, (message, claim) -> {
                            ledger.enter(message);
                            swallow(ledger, message);
                        })) {
            service.until(() -> watch.of("m-0-4").size() >= 2);
            Entry.assertSame(postgres.effects(ledger.consumer()), sent.subList(0, 4));
            assertThat(watch.failures()).allSatisfy(seen -> {
                assertThat(seen.delivery()).hasToString(ledger.consumer() + "/m-0-4 at " + topic + "-0@4");
                assertThat(seen.failure().orElseThrow())
                        .isInstanceOf(TransactionLostException.class)
                        .hasMessageContaining("a handler caught a database error");
            });

            postgres.execute("delete from taken");
            service.until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            watch.assertNothingQuarantined();
        }
    }

    private static void swallow(Ledger ledger, ConsumerRecord<String, String> message) throws SQLException {
        try (Connection connection = ledger.joined().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("insert into taken values ('" + message.value() + "')");
        } catch (SQLException alreadyThere) {
            // The mistake under test: PostgreSQL has aborted the transaction.
        }
    }
}

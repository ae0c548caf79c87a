package io.idempotency.faultkit;

import static io.idempotency.faultkit.Runs.AGAIN;
import static io.idempotency.faultkit.Runs.ANSWER_LOST;
import static io.idempotency.faultkit.Runs.COMMIT_FAILS;
import static io.idempotency.faultkit.Runs.DIES_AFTER_EFFECT;
import static io.idempotency.faultkit.Runs.DIES_BEFORE_COMMIT;
import static io.idempotency.faultkit.Runs.DIES_BEFORE_EFFECT;
import static io.idempotency.faultkit.Runs.STATEMENT_FAILS;
import static io.idempotency.faultkit.Runs.UNDISTURBED;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.spring.TestServers;
import io.idempotency.store.ClaimStore;
import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The kit on code with a database, and without an application. */
class OwnTransactionsTest {

    private static final String CHARGE = "insert into charge (message) values (?)";
    private static final String ONCE =
            "insert into charge_once select ? where not exists (select * from charge_once where message = ?)";
    private static final String EFFECTS = "select count(*) from charge";

    record Order(String id) {}

    /** What users write. It is run by the tests around it. */
    abstract static class Users {

        private final Set<String> seen = ConcurrentHashMap.newKeySet();

        abstract DataSource pool();

        private static IdempotentConsumer<Order> billing(ClaimStore store) {
            return IdempotentConsumer.<Order>named("billing")
                    .store(store)
                    .messageId(order -> Optional.of(order.id()))
                    .build();
        }

        @IdempotencyTest
        void consumerWithATransaction(FaultKit kit) {
            DataSource pool = kit.dataSource(pool());
            JdbcTemplate jdbc = new JdbcTemplate(JdbcTransactions.on(pool).dataSource());
            kit.deliver(
                    () -> new Order(kit.id()),
                    billing(TableStore.on(pool)),
                    (order, claim) -> jdbc.update(CHARGE, order.id()));
            kit.effects(EFFECTS);
        }

        @IdempotencyTest
        void callerWithATransaction(FaultKit kit) {
            DataSource pool = kit.dataSource(pool());
            PlatformTransactionManager manager = new JdbcTransactionManager(pool);
            TransactionTemplate transaction = new TransactionTemplate(manager);
            JdbcTemplate jdbc = new JdbcTemplate(pool);
            IdempotentConsumer<Order> billing =
                    billing(TableStore.builder(pool).transactionManager(manager).build());
            kit.deliver(
                    () -> new Order(kit.id()),
                    order -> transaction.executeWithoutResult(
                            status -> billing.consume(order, (message, claim) -> jdbc.update(CHARGE, message.id()))));
            kit.effects(EFFECTS);
        }

        /** A key of its own, and no library. */
        @IdempotencyTest
        void uniqueKey(FaultKit kit) {
            JdbcTemplate jdbc = new JdbcTemplate(kit.dataSource(pool()));
            kit.deliver(() -> new Order(kit.id()), order -> jdbc.update(ONCE, order.id(), order.id()));
            kit.effects("select count(*) from charge_once");
        }

        /** A copy would do the lost work. */
        @IdempotencyTest
        void catchesEverything(FaultKit kit) {
            JdbcTemplate jdbc = new JdbcTemplate(kit.dataSource(pool()));
            kit.deliver(() -> new Order(kit.id()), order -> {
                try {
                    jdbc.update(ONCE, order.id(), order.id());
                } catch (DataAccessException e) {
                    // Somebody will look at it.
                }
            });
            kit.effects("select count(*) from charge_once");
        }

        @IdempotencyTest
        void outside(FaultKit kit) {
            JdbcTemplate jdbc = new JdbcTemplate(kit.dataSource(pool()));
            TableStore store = TableStore.on(kit.dataSource(pool()));
            kit.deliver(() -> new Order(kit.id()), billing(store), (order, claim) -> jdbc.update(CHARGE, order.id()));
            kit.effects(EFFECTS);
        }

        @IdempotencyTest
        void swallows(FaultKit kit) {
            DataSource pool = kit.dataSource(pool());
            JdbcTemplate jdbc = new JdbcTemplate(JdbcTransactions.on(pool).dataSource());
            kit.deliver(() -> new Order(kit.id()), billing(TableStore.on(pool)), (order, claim) -> {
                try {
                    jdbc.update(CHARGE, order.id());
                } catch (DataAccessException e) {
                    // Somebody will look at it.
                }
            });
            kit.effects(EFFECTS);
        }

        @IdempotencyTest
        void caches(FaultKit kit) {
            DataSource pool = kit.dataSource(pool());
            TransactionTemplate transaction = new TransactionTemplate(new JdbcTransactionManager(pool));
            JdbcTemplate jdbc = new JdbcTemplate(pool);
            kit.deliver(
                    () -> new Order(kit.id()),
                    order -> transaction.executeWithoutResult(status -> {
                        if (seen.add(order.id())) {
                            jdbc.update(CHARGE, order.id());
                        }
                    }));
            kit.effects(EFFECTS);
        }

        /** A record comes at another offset, too. */
        @IdempotencyTest
        void offsetId(FaultKit kit) {
            DataSource pool = kit.dataSource(pool());
            JdbcTemplate jdbc = new JdbcTemplate(JdbcTransactions.on(pool).dataSource());
            IdempotentConsumer<ConsumerRecord<String, String>> billing = KafkaRecords.<String, String>consumer(
                            "offsets")
                    .messageId(record -> Optional.of(record.value() + "@" + record.offset()))
                    .store(TableStore.on(pool))
                    .build();
            kit.deliver(
                    () -> new ConsumerRecord<>("orders", 0, 0, "key", kit.id()),
                    billing,
                    (record, claim) -> jdbc.update(CHARGE, record.value()));
            kit.effects(EFFECTS);
        }
    }

    static class OnH2 extends Users {

        private static final DataSource POOL = create("jdbc:h2:mem:orders;DB_CLOSE_DELAY=-1");

        @Override
        DataSource pool() {
            return POOL;
        }
    }

    static class OnPostgres extends Users {

        private static final DataSource POOL = create(TestServers.database());

        @Override
        DataSource pool() {
            return POOL;
        }
    }

    private static DataSource create(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(3);
        HikariDataSource pool = new HikariDataSource(config);
        Runtime.getRuntime().addShutdownHook(new Thread(pool::close));
        Schema.on(pool).create();
        JdbcTemplate jdbc = new JdbcTemplate(pool);
        jdbc.execute("create table charge (message varchar(100))");
        jdbc.execute("create table charge_once (message varchar(100) primary key)");
        return pool;
    }

    private static TestRun run(String test) {
        return TestRun.of(OnH2.class, test);
    }

    @Test
    void passesAConsumerWithATransaction() {
        TestRun run = run("consumerWithATransaction");

        assertThat(run.failures()).isEmpty();
        // A new store notes its consumer, in a transaction of its own.
        assertThat(run.names())
                .containsExactly(
                        UNDISTURBED,
                        AGAIN,
                        DIES_BEFORE_EFFECT,
                        DIES_AFTER_EFFECT,
                        STATEMENT_FAILS,
                        COMMIT_FAILS + " (1 of 2)",
                        COMMIT_FAILS + " (2 of 2)",
                        ANSWER_LOST + " (1 of 2)",
                        ANSWER_LOST + " (2 of 2)");
    }

    /** There the library proves and commits by one call. */
    @Test
    void passesAConsumerWithATransactionOnPostgres() {
        TestRun run = TestRun.of(OnPostgres.class, "consumerWithATransaction");

        assertThat(run.failures()).isEmpty();
        assertThat(run.names()).contains(STATEMENT_FAILS, COMMIT_FAILS + " (2 of 2)", ANSWER_LOST + " (2 of 2)");
    }

    @Test
    void passesACallerWithATransaction() {
        TestRun run = run("callerWithATransaction");

        assertThat(run.failures()).isEmpty();
        assertThat(run.names())
                .containsExactly(UNDISTURBED, AGAIN, DIES_BEFORE_COMMIT, STATEMENT_FAILS, COMMIT_FAILS, ANSWER_LOST);
    }

    @Test
    void passesAUniqueKey() {
        assertThat(run("uniqueKey").failures()).isEmpty();
    }

    @Test
    void findsAnEffectOutsideTheTransaction() {
        assertThat(run("outside").failures())
                .containsOnlyKeys(DIES_AFTER_EFFECT, COMMIT_FAILS + " (2 of 2)")
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "had 2 effects instead of 1",
                                "A statement committed by itself",
                                "OwnTransactionsTest.java:"));
    }

    @Test
    void findsASwallowedException() {
        assertThat(run("swallows").failures())
                .containsOnlyKeys(STATEMENT_FAILS)
                .allSatisfy((fault, failure) ->
                        assertThat(failure).contains("lost the effect", "it swallowed the exception"));
    }

    @Test
    void findsALostEffectThatACopyWouldMakeUpFor() {
        assertThat(run("catchesEverything").failures())
                .containsOnlyKeys(STATEMENT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "lost the effect: 0 instead of 1, although it is settled: nobody delivers it again",
                                "an exception is swallowed, an error handler gives up"));
    }

    @Test
    void findsACacheThatIsFilledBeforeTheCommit() {
        assertThat(run("caches").failures())
                .containsOnlyKeys(DIES_BEFORE_COMMIT, STATEMENT_FAILS, COMMIT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure).contains("lost the effect"));
    }

    @Test
    void findsAnIdThatIsTheOffset() {
        assertThat(run("offsetId").failure()).contains("The copies of one message have different ids");
    }
}

package io.idempotency.samples.plain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

class LedgerServiceTest {

    @Test
    void postsAPaymentThatIsSentTwiceOnce() throws Exception {
        EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 2, "payments");
        broker.afterPropertiesSet();
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:ledger;DB_CLOSE_DELAY=-1", "sa", "");
        Map<String, Object> kafka = LedgerProgram.kafka(broker.getBrokersAsString());
        new Ledger(pool).create();
        try (LedgerService service = new LedgerService(pool, kafka, "payments")) {
            new Thread(service::run, "ledger").start();
            send(broker.getBrokersAsString(), "pay-1", "anna,10.50");
            send(broker.getBrokersAsString(), "pay-1", "anna,10.50");
            send(broker.getBrokersAsString(), "pay-2", "anna,1.00");

            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(sum(pool)).isEqualByComparingTo("11.50"));
        } finally {
            pool.dispose();
            broker.destroy();
        }
    }

    /** The recipe of the documents, for a correct handler. */
    @Test
    void theRecipeFindsNothingOfAHandlerThatWritesInItsTransaction() throws SQLException {
        withPostings(dataSource -> {
            TableStore store = TableStore.on(dataSource);
            Ledger ledger = new Ledger(JdbcTransactions.on(dataSource).dataSource());

            assertThat(countLeft(dataSource, store, ledger)).isZero();
        });
    }

    /** The recipe, for a handler that writes through the raw data source. Nothing else would notice that. */
    @Test
    void theRecipeFindsAHandlerThatWritesPastItsTransaction() throws SQLException {
        withPostings(dataSource -> {
            TableStore store = TableStore.on(dataSource);
            Ledger ledger = new Ledger(dataSource);

            assertThat(countLeft(dataSource, store, ledger)).isOne();
        });
    }

    private static int countLeft(DataSource dataSource, TableStore store, Ledger ledger) throws SQLException {
        HandlerRecipe.failBehind(ledger, store);
        try (Connection connection = dataSource.getConnection();
                ResultSet left = connection.createStatement().executeQuery("select count(*) from posting")) {
            left.next();
            return left.getInt(1);
        }
    }

    private interface Scene {
        void on(DataSource dataSource) throws SQLException;
    }

    private static void withPostings(Scene scene) throws SQLException {
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:recipe;DB_CLOSE_DELAY=-1", "sa", "");
        try {
            Schema.on(pool).create();
            new Ledger(pool).create();
            scene.on(pool);
            pool.getConnection().createStatement().execute("shutdown");
        } finally {
            pool.dispose();
        }
    }

    private static void send(String servers, String id, String payment)
            throws ExecutionException, InterruptedException {
        Map<String, Object> properties = Map.of("bootstrap.servers", servers);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            ProducerRecord<String, String> record = new ProducerRecord<>("payments", payment);
            record.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
            producer.send(record).get();
        }
    }

    private static BigDecimal sum(JdbcConnectionPool pool) throws SQLException {
        try (var connection = pool.getConnection();
                var result = connection.createStatement().executeQuery("select sum(amount), count(*) from posting")) {
            result.next();
            return result.getInt(2) == 2 ? result.getBigDecimal(1) : BigDecimal.ZERO;
        }
    }
}

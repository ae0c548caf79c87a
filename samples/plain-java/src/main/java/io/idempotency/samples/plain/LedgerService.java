package io.idempotency.samples.plain;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Posts every payment of a topic once. Run with two arguments, {@code bootstrap-servers} and {@code jdbc-url}, it polls until it
 * is interrupted.
 */
public final class LedgerService implements AutoCloseable {

    private final PollLoop<String, String> loop;
    private final Purger purger;

    LedgerService(DataSource dataSource, Map<String, ?> kafka, String topic) throws SQLException {
        // tag::schema[]
        Schema.on(dataSource).migrate();
        // end::schema[]
        new Ledger(dataSource).create();
        // tag::consumer[]
        TableStore store = TableStore.on(dataSource);
        Ledger ledger = new Ledger(JdbcTransactions.on(dataSource).dataSource());

        IdempotentConsumer<ConsumerRecord<String, String>> billing = KafkaRecords.<String, String>consumer("billing")
                .store(store)
                .quarantine(JdbcQuarantine.on(dataSource))
                .failures(FailurePolicy.quarantineAfter(5).quarantineOn(NumberFormatException.class))
                .cache(CaffeineCache.create())
                .build();

        loop = PollLoop.of(billing, (record, claim) -> ledger.post(record.value()))
                .properties(kafka)
                .topics(topic)
                .build();
        // end::consumer[]
        purger = Purger.of(store).start();
    }

    void run() {
        loop.run();
    }

    /** Ends {@link #run} from another thread; what is being handled is finished. */
    void stop() {
        loop.close();
    }

    @Override
    public void close() {
        stop();
        purger.close();
    }

    public static void main(String[] args) throws SQLException {
        if (args.length != 2) {
            System.err.println("usage: LedgerService <bootstrap-servers> <jdbc-url>");
            System.exit(2);
        }
        HikariConfig pool = new HikariConfig();
        pool.setJdbcUrl(args[1]);
        Map<String, Object> kafka = Map.of(
                "bootstrap.servers",
                args[0],
                "group.id",
                "ledger",
                "auto.offset.reset",
                "earliest",
                "isolation.level",
                "read_committed",
                "key.deserializer",
                StringDeserializer.class,
                "value.deserializer",
                StringDeserializer.class);
        try (HikariDataSource dataSource = new HikariDataSource(pool);
                LedgerService service = new LedgerService(dataSource, kafka, "payments")) {
            Runtime.getRuntime().addShutdownHook(new Thread(service::stop));
            service.run();
        }
    }
}

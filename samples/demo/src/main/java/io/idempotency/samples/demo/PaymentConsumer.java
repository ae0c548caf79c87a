package io.idempotency.samples.demo;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordReread;
import io.idempotency.samples.demo.Saboteur.Accident;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A process that consumes payments by the library: claims and effects in one transaction for each poll. */
final class PaymentConsumer {

    /** Short, so that a consumer outlives it within the run. */
    static final int MAX_POLL_INTERVAL_SECONDS = 8;

    private static final int SESSION_SECONDS = 6;
    private static final String NAME = "bank";

    private PaymentConsumer() {}

    /** Arguments: address of the broker, and of the database. */
    public static void main(String[] args) {
        Tally tally = new Tally();
        TallyReport report = TallyReport.start(tally);
        Saboteur saboteur = new Saboteur();
        Map<String, Object> kafka = kafka(args[0], tally);
        try (HikariDataSource pool = Database.pool(args[1], 4);
                RecordReread reread = RecordReread.of(kafka);
                IdempotentConsumer<ConsumerRecord<String, String>> bank =
                        bank(pool, reread, new ConsumptionCounter(tally, saboteur))) {
            DataSource inTransaction = JdbcTransactions.on(pool).dataSource();
            PaymentHandler handler = new PaymentHandler(inTransaction, saboteur, tally);
            PollLoop<String, String> loop = PollLoop.of(bank, handler)
                    .properties(kafka)
                    .topics(PaymentTopic.NAME)
                    .build();
            Commands.listen(commands(loop, saboteur));
            loop.run();
        }
        report.close();
    }

    private static IdempotentConsumer<ConsumerRecord<String, String>> bank(
            DataSource database, RecordReread reread, ConsumptionCounter counter) {
        return KafkaRecords.<String, String>consumer(NAME)
                .store(TableStore.on(database))
                .cache(CaffeineCache.create())
                .reader(KafkaRecords.reader(reread))
                .quarantine(JdbcQuarantine.on(database))
                .failures(FailurePolicy.quarantineAfter(4).backOff(Duration.ofMillis(50), Duration.ofSeconds(1)))
                .chunk(500, Duration.ofSeconds(MAX_POLL_INTERVAL_SECONDS).dividedBy(4))
                .listener(counter)
                .build();
    }

    private static Map<String, Object> kafka(String broker, Tally tally) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
        config.put(ConsumerConfig.GROUP_ID_CONFIG, PaymentTopic.GROUP);
        config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class);
        config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 500);
        config.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, MAX_POLL_INTERVAL_SECONDS * 1_000);
        config.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_SECONDS * 1_000);
        config.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, SESSION_SECONDS * 1_000 / 4);
        config.put(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG, DeliveryCounter.class.getName());
        config.put(DeliveryCounter.TALLY, tally);
        return config;
    }

    private static Map<String, Runnable> commands(PollLoop<String, String> loop, Saboteur saboteur) {
        Map<String, Runnable> commands = new HashMap<>();
        commands.put(Commands.LEAVE, loop::close);
        for (Accident accident : Accident.values()) {
            commands.put(accident.name(), () -> saboteur.ask(accident));
        }
        return commands;
    }

    /** Creates the library's tables. */
    static void createTables(DataSource database) {
        Schema.on(database).migrate();
    }

    /** Returns the ids of all payments in quarantine. */
    static Set<UUID> quarantined(DataSource database) {
        return JdbcQuarantine.on(database).list(NAME, Integer.MAX_VALUE).stream()
                .map(id -> UUID.fromString(id.value()))
                .collect(Collectors.toSet());
    }
}

package io.idempotency.samples.clickhouse;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcRanges;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordProcessor;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Loads a topic of JSON into a replicated table of ClickHouse, each message once. Ids and ranges are in a small PostgreSQL beside it. The table keeps the tokens of enough
 * blocks: {@code replicated_deduplication_window} is more than the loader can write while another process stands still.
 */
public final class ClickHouseLoader implements AutoCloseable {

    private static final int MOST_ROWS = 50_000;

    private final HikariDataSource dataSource = new HikariDataSource();
    private final PollLoop<String, String> loop;
    private final Purger purger;

    ClickHouseLoader(String database, String brokers, String topic, ClickHouse sink, String table) {
        dataSource.setJdbcUrl(database);
        Schema.on(dataSource).create();
        TableStore store = TableStore.on(dataSource);
        Map<String, Object> kafka = new HashMap<>(Map.of(
                "bootstrap.servers", brokers,
                "group.id", "clickhouse-loader",
                "auto.offset.reset", "earliest",
                "isolation.level", "read_committed",
                "max.poll.records", "5000",
                "key.deserializer", StringDeserializer.class,
                "value.deserializer", StringDeserializer.class));
        // tag::loader[]
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer(
                        "clickhouse")
                .store(store)
                .chunk(MOST_ROWS, Duration.ofSeconds(60))
                .build();
        RecordProcessor<String, String> processor = RecordProcessor.ranges(
                consumer,
                JdbcRanges.on(dataSource),
                kafka,
                (range, records) -> sink.insert(
                        table,
                        range.token(),
                        records.stream().map(ConsumerRecord::value).toList()));
        this.loop = PollLoop.of(processor)
                .properties(kafka)
                .topics(topic)
                .gather(MOST_ROWS, Duration.ofSeconds(1))
                .build();
        // end::loader[]
        this.purger = Purger.of(store).start();
    }

    /** Loads until it is closed. */
    void run() {
        loop.run();
    }

    @Override
    public void close() {
        loop.close();
        purger.close();
        dataSource.close();
    }

    /** Arguments: the JDBC URL of the ids, the brokers, the topic, the URL of ClickHouse, and the table. Ctrl-C ends it. */
    public static void main(String[] args) {
        if (args.length != 5) {
            System.err.println("usage: clickhouse-loader JDBC-URL BROKERS TOPIC CLICKHOUSE-URL TABLE");
            System.exit(2);
        }
        ClickHouseLoader loader = new ClickHouseLoader(args[0], args[1], args[2], new ClickHouse(args[3]), args[4]);
        Runtime.getRuntime().addShutdownHook(new Thread(loader::close));
        loader.run();
    }
}

package io.idempotency.samples.bulk;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.sql.Connection;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.postgresql.PGConnection;

/** The loop that one would write: polls are gathered, parsed and copied, and then the offsets are committed. It knows no ids, and skips what makes no row. */
final class ByHand {

    private final LoaderSettings settings;
    private final DataSource dataSource;

    ByHand(LoaderSettings settings, DataSource dataSource) {
        this.settings = settings;
        this.dataSource = dataSource;
    }

    /** Loads so many rows into the table. Returns how many a second. */
    double load(String table, int rows) throws Exception {
        Map<String, Object> properties = new HashMap<>(settings.kafka());
        properties.put("enable.auto.commit", "false");
        CopyRows parser = new CopyRows(settings.values(), settings.target());
        String copy = new LoaderSettings.Target(table, settings.target().columns()).copy();
        long loaded = 0;
        long began = System.nanoTime();
        try (Connection connection = dataSource.getConnection();
                KafkaConsumer<byte[], byte[]> kafka =
                        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            kafka.subscribe(List.of(settings.topic()));
            while (loaded < rows) {
                ByteArrayOutputStream lines = new ByteArrayOutputStream();
                int gathered = 0;
                while (gathered < settings.batchRecords() && loaded + gathered < rows) {
                    for (ConsumerRecord<byte[], byte[]> record : kafka.poll(Duration.ofMillis(100))) {
                        gathered += append(parser, record, lines);
                    }
                }
                connection
                        .unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyIn(copy, new ByteArrayInputStream(lines.toByteArray()));
                kafka.commitSync();
                loaded += gathered;
            }
        }
        return loaded / ((System.nanoTime() - began) / 1e9);
    }

    private static int append(CopyRows parser, ConsumerRecord<byte[], byte[]> record, ByteArrayOutputStream lines) {
        try {
            parser.append(record, lines);
            return 1;
        } catch (Values.UnusableException skipped) {
            return 0;
        }
    }
}

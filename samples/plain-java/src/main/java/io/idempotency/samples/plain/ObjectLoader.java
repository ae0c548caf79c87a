package io.idempotency.samples.plain;

import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcRanges;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.ranges.Range;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Loads a topic into a folder, as into an object store: an object for each range of records. An object that is written again has the same name and the same lines, so each
 * message is in the folder once, whatever dies.
 */
final class ObjectLoader implements AutoCloseable {

    private static final int MOST_RECORDS = 10_000;

    private final Path folder;
    private final PollLoop<String, String> loop;
    private final Purger purger;

    ObjectLoader(DataSource dataSource, Map<String, ?> kafka, String topic, Path folder) {
        this.folder = folder;
        Schema.on(dataSource).migrate();
        TableStore store = TableStore.on(dataSource);
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer("objects")
                .store(store)
                .chunk(MOST_RECORDS, Duration.ofSeconds(60))
                .build();
        RecordProcessor<String, String> processor =
                RecordProcessor.ranges(consumer, JdbcRanges.on(dataSource), kafka, this::write);
        this.loop = PollLoop.of(processor)
                .properties(kafka)
                .topics(topic)
                .gather(MOST_RECORDS, Duration.ofSeconds(2))
                .build();
        this.purger = Purger.of(store).start();
    }

    /** Writes an object under another name first: whoever lists the folder sees whole objects only. An object store does that by itself. */
    private void write(Range range, List<? extends ConsumerRecord<String, String>> records) throws IOException {
        String name =
                "%s-%d-%019d-%s.txt".formatted(range.stream(), range.partition(), range.firstOffset(), range.token());
        Path unfinished =
                folder.resolve("." + name + "-" + ProcessHandle.current().pid());
        Files.write(unfinished, records.stream().map(ConsumerRecord::value).toList());
        Files.move(unfinished, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Loads until {@link #close} is called. */
    void run() {
        loop.run();
    }

    @Override
    public void close() {
        loop.close();
        purger.close();
    }
}

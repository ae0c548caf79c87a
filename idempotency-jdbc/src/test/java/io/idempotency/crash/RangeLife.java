package io.idempotency.crash;

import io.idempotency.IdempotentConsumer;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcRanges;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.ranges.Range;
import io.idempotency.ranges.RangeStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** One life of a process that loads a topic into a folder, an object for each range. The first life halts at its point, in its second range. */
public final class RangeLife {

    enum Point {
        BEFORE_RECORD,
        BEFORE_WRITE,
        IN_WRITE,
        BEFORE_DONE,
        DONE
    }

    private final Point point;
    private final int life;
    private final Path sink;
    private int written;

    private RangeLife(Point point, int life, Path sink) {
        this.point = point;
        this.life = life;
        this.sink = sink;
    }

    /** The arguments that {@link #main} understands. */
    static List<String> arguments(String topic, Point point, int life, String servers, Path sink) {
        return List.of(topic, point.name(), String.valueOf(life), servers, sink.toString());
    }

    /** Lives until it halts or its input ends. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Life.quieten();
        RangeLife life = new RangeLife(Point.valueOf(args[1]), Integer.parseInt(args[2]), Path.of(args[4]));
        PollLoop<byte[], byte[]> loop = life.loop(args[0], args[3]);
        Life.runToTheEnd(loop);
    }

    private PollLoop<byte[], byte[]> loop(String topic, String servers) {
        DataSource dataSource = Database.named().dataSource();
        Map<String, Object> properties = Map.of(
                "bootstrap.servers",
                servers,
                "group.id",
                topic,
                "auto.offset.reset",
                "earliest",
                "session.timeout.ms",
                "6000",
                // The next life never polls what the first one has. Later ones have much to do.
                "max.poll.records",
                life == 1 ? "7" : life == 2 ? "4" : "5000",
                "key.deserializer",
                ByteArrayDeserializer.class,
                "value.deserializer",
                ByteArrayDeserializer.class);
        IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer = KafkaRecords.<byte[], byte[]>consumer(topic)
                .store(TableStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build())
                .chunk(5000, Duration.ofSeconds(60))
                .build();
        RangeStore ranges = new Halting(JdbcRanges.on(dataSource).tablePrefix(Ledger.PREFIX));
        return PollLoop.of(RecordProcessor.<byte[], byte[]>ranges(consumer, ranges, properties, this::write))
                .properties(properties)
                .topics(topic)
                .pollTimeout(Duration.ofMillis(200))
                .build();
    }

    private void at(Point here) {
        if (life == 1 && point == here && written == 1) {
            Runtime.getRuntime().halt(Halt.CODE);
        }
    }

    /** The name of an object tells its range, so an object that is written twice is there once. */
    private void write(Range range, List<? extends ConsumerRecord<byte[], byte[]>> records) throws IOException {
        at(Point.BEFORE_WRITE);
        String name = "%s-%d-%010d-%s".formatted(range.stream(), range.partition(), range.firstOffset(), range.token());
        List<String> lines = records.stream()
                .map(record -> new String(record.value(), StandardCharsets.UTF_8))
                .toList();
        Path part = sink.resolve(name + ".part");
        Files.write(part, lines.subList(0, lines.size() / 2));
        at(Point.IN_WRITE);
        Files.write(part, lines);
        Files.move(part, sink.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        at(Point.BEFORE_DONE);
    }

    private final class Halting implements RangeStore {

        private final RangeStore store;

        private Halting(RangeStore store) {
            this.store = store;
        }

        @Override
        public void open(List<Range> ranges) {
            at(Point.BEFORE_RECORD);
            store.open(ranges);
        }

        @Override
        public List<Range> open(String consumer) {
            return store.open(consumer);
        }

        @Override
        public void done(Range range) {
            store.done(range);
            at(Point.DONE);
            written++;
        }
    }
}

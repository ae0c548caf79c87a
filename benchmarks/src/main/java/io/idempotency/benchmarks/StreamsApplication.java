package io.idempotency.benchmarks;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.streams.Deduplication;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.processor.StateRestoreListener;

/** An application that copies a topic, with one thread. It has an id, a folder and an output topic of its own. */
final class StreamsApplication implements AutoCloseable {

    /** What stands between input and output. */
    enum Kind {
        PLAIN,
        /** A store of ids without positions and without an end, in a processor of one's own. */
        BY_HAND,
        LIBRARY
    }

    private static final String NAME = "ledger";
    private static final int CHECK_EVERY_MILLIS = 50;

    private final Admin admin;
    private final Topic topic;
    private final String id = "streams-" + System.nanoTime();
    private final Path folder;
    private final Topology topology;
    private final Properties settings = new Properties();
    private KafkaStreams streams;

    StreamsApplication(Admin admin, String broker, String guarantee, Path files, Topic topic, Kind kind)
            throws ExecutionException, InterruptedException {
        this.admin = admin;
        this.topic = topic;
        this.folder = files.resolve(id);
        StreamsBuilder builder = new StreamsBuilder();
        KStream<byte[], byte[]> all = builder.stream(topic.name());
        switch (kind) {
            case PLAIN -> all.to(id + "-out");
            case BY_HAND -> all.processValues(new IdStoreByHand(NAME)).to(id + "-out");
            case LIBRARY ->
                all.processValues(Deduplication.<byte[], byte[]>named(NAME)
                                .retention(Duration.ofDays(1))
                                .supplier())
                        .to(id + "-out");
        }
        this.topology = builder.build();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, id);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        // An application does not leave its group when it ends; the next one waits for this.
        settings.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 6_000);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        admin.createTopics(List.of(new NewTopic(id + "-out", topic.partitions(), (short) 1)))
                .all()
                .get();
        this.streams = new KafkaStreams(topology, settings);
    }

    /** Starts it, and returns how many messages a second it has sent when all are there for a reader of committed messages. */
    double rate() throws ExecutionException, InterruptedException {
        streams.start();
        await(State.RUNNING);
        long begin = System.nanoTime();
        while (sent() < topic.messages()) {
            TimeUnit.MILLISECONDS.sleep(CHECK_EVERY_MILLIS);
        }
        return topic.messages() / ((System.nanoTime() - begin) / 1e9);
    }

    /** Returns the ends of the output; under exactly-once they count a marker for each transaction, too, which is one in thousands. */
    private long sent() throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int partition = 0; partition < topic.partitions(); partition++) {
            asked.put(new TopicPartition(id + "-out", partition), OffsetSpec.latest());
        }
        return admin
                .listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                .all()
                .get()
                .values()
                .stream()
                .mapToLong(ListOffsetsResultInfo::offset)
                .sum();
    }

    /** Returns the bytes of the changelog, on the broker's disk. */
    double changelogBytes() throws ExecutionException, InterruptedException {
        Map<TopicPartition, Long> bytes = new HashMap<>();
        admin.describeLogDirs(List.of(1))
                .allDescriptions()
                .get()
                .values()
                .forEach(folders -> folders.values()
                        .forEach(each ->
                                each.replicaInfos().forEach((partition, info) -> bytes.put(partition, info.size()))));
        return bytes.entrySet().stream()
                .filter(each -> each.getKey().topic().equals(id + "-" + NAME + "-changelog"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    void end() {
        streams.close();
    }

    /** Returns the bytes of its folder. */
    double diskBytes() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .mapToLong(StreamsApplication::size)
                    .sum();
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes its folder, starts it again, and returns the seconds from the first restored record to the end of the last store. */
    double restoreSeconds() throws IOException, InterruptedException {
        Cleanup.delete(folder);
        streams = new KafkaStreams(topology, settings);
        RestoreTime time = new RestoreTime();
        streams.setGlobalStateRestoreListener(time);
        streams.start();
        await(State.RUNNING);
        return time.seconds();
    }

    /** Called by the thread that restores. */
    private static final class RestoreTime implements StateRestoreListener {

        private final AtomicLong begin = new AtomicLong();
        private final AtomicLong end = new AtomicLong();

        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
            begin.compareAndSet(0, System.nanoTime());
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long at, long count) {}

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {
            end.set(System.nanoTime());
        }

        double seconds() {
            return (end.get() - begin.get()) / 1e9;
        }
    }

    private void await(State wanted) throws InterruptedException {
        while (streams.state() != wanted) {
            TimeUnit.MILLISECONDS.sleep(CHECK_EVERY_MILLIS);
        }
    }

    @Override
    public void close() {
        streams.close();
    }
}

package io.idempotency.benchmarks;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.util.ResizableDoubleArray;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The poll loop of all contestants: one thread, one Kafka consumer, and a new group in each round. */
final class Reader implements Rounds {

    private static final Duration POLL_TIMEOUT = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final String broker;
    private final Function<Round, Step> steps;

    Reader(String broker, Function<Round, Step> steps) {
        this.broker = broker;
        this.steps = steps;
    }

    @Override
    public Outcome run(Round round) throws Exception {
        List<TopicPartition> partitions = round.partitions().stream()
                .map(number -> new TopicPartition(round.topic(), number))
                .toList();
        try (KafkaConsumer<byte[], byte[]> kafka = new KafkaConsumer<>(config(broker, round.poll()));
                Step step = steps.apply(round)) {
            kafka.assign(partitions);
            partitions.forEach(partition -> kafka.seek(partition, round.from()));
            return new Reading(round, kafka, step).run();
        }
    }

    /** Returns the settings of a consumer: Kafka's defaults, except for the size of a poll. */
    static Map<String, Object> config(String broker, int poll) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
        config.put(ConsumerConfig.GROUP_ID_CONFIG, "round-" + UUID.randomUUID());
        config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, poll);
        return config;
    }

    /** One round. */
    private static final class Reading {

        private final Round round;
        private final KafkaConsumer<byte[], byte[]> kafka;
        private final Step step;
        private final Set<TopicPartition> partitions;
        private final long end;
        private final ResizableDoubleArray micros = new ResizableDoubleArray();
        private long read;

        Reading(Round round, KafkaConsumer<byte[], byte[]> kafka, Step step) {
            this.round = round;
            this.kafka = kafka;
            this.step = step;
            this.partitions = kafka.assignment();
            this.end = kafka.endOffsets(partitions).values().stream()
                    .mapToLong(offset -> offset - round.from())
                    .sum();
        }

        /** Runs the round. The clock starts when the first poll has returned, and stops when the last one is handled and its offsets are committed. */
        Outcome run() throws Exception {
            handleFirst();
            // What the round before has left would otherwise be collected in this one: windows and filters of many ids
            // are hundreds of megabytes.
            System.gc();
            long first = read;
            ConsumerRecords<byte[], byte[]> polled = poll();
            long began = System.nanoTime();
            try (Purging purging = Purging.of(step, round.library().isPurging())) {
                handle(polled);
                while (!isOver(began, purging)) {
                    handle(poll());
                }
                return outcome(read - first, (System.nanoTime() - began) / 1e9);
            }
        }

        private Outcome outcome(long messages, double seconds) {
            double[] all = micros.getElements();
            return new Outcome(
                    read,
                    messages,
                    seconds,
                    StatUtils.percentile(all, 50),
                    StatUtils.percentile(all, 99),
                    step.memoryBytes());
        }

        private boolean isOver(long began, Purging purging) {
            boolean isTimeOver =
                    round.library().isPurging() ? purging.isDone() : System.nanoTime() - began > round.seconds() * 1e9;
            return isTimeOver || read >= round.messages();
        }

        private void handle(ConsumerRecords<byte[], byte[]> polled) {
            long began = System.nanoTime();
            step.process(kafka, polled);
            micros.addElement((System.nanoTime() - began) / 1e3);
            read += polled.count();
        }

        /** Returns the next messages. At the end of the topic it begins again if the round repeats. */
        private ConsumerRecords<byte[], byte[]> poll() {
            if (round.isRepeating() && isAtEnd()) {
                kafka.seekToBeginning(partitions);
            }
            long began = System.nanoTime();
            ConsumerRecords<byte[], byte[]> polled = kafka.poll(POLL_TIMEOUT);
            while (polled.isEmpty()) {
                if (System.nanoTime() - began > PATIENCE.toNanos()) {
                    throw new IllegalStateException("There are no more messages in " + round.topic() + " after " + read
                            + "; the log says whether they failed");
                }
                step.process(kafka, polled);
                polled = kafka.poll(POLL_TIMEOUT);
            }
            return polled;
        }

        private boolean isAtEnd() {
            return end > 0 && read > 0 && read % end == 0;
        }

        /** Handles the first messages of each partition, so that names, journals, first offsets and connections exist. */
        private void handleFirst() {
            Set<TopicPartition> left = new HashSet<>(round.first() > 0 ? partitions : Set.of());
            while (!left.isEmpty()) {
                ConsumerRecords<byte[], byte[]> polled = poll();
                for (TopicPartition partition : polled.partitions()) {
                    if (left.remove(partition)) {
                        handleFirst(partition, polled.records(partition));
                    }
                }
            }
            kafka.resume(partitions);
        }

        private void handleFirst(TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> polled) {
            List<ConsumerRecord<byte[], byte[]>> first = polled.subList(0, Math.min(round.first(), polled.size()));
            long next = first.get(first.size() - 1).offset() + 1;
            step.process(
                    kafka,
                    new ConsumerRecords<>(Map.of(partition, first), Map.of(partition, new OffsetAndMetadata(next))));
            read += first.size();
            kafka.seek(partition, next);
            kafka.pause(Set.of(partition));
        }
    }
}

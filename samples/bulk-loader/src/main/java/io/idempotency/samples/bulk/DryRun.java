package io.idempotency.samples.bulk;

import io.idempotency.kafka.MessageIds;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads the topic from its begin to its present end, and says what a load would find. It writes nothing, and belongs to no group. */
final class DryRun {

    private static final int MOST_NAMED = 10;

    private final LoaderSettings settings;
    private final Consumer<String> out;
    private long records;
    private long copies;
    private long unusable;

    DryRun(LoaderSettings settings, Consumer<String> out) {
        this.settings = settings;
        this.out = out;
    }

    /** Returns whether each record makes a row. */
    boolean run() {
        Map<String, Object> properties = new HashMap<>(settings.kafka());
        properties.remove("group.id");
        properties.put("enable.auto.commit", "false");
        CopyRows rows = new CopyRows(settings.values(), settings.target());
        Set<String> ids = new HashSet<>();
        try (KafkaConsumer<byte[], byte[]> kafka =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = kafka.partitionsFor(settings.topic()).stream()
                    .map(each -> new TopicPartition(each.topic(), each.partition()))
                    .toList();
            kafka.assign(partitions);
            kafka.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = kafka.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> kafka.position(each) < ends.getOrDefault(each, 0L))) {
                for (ConsumerRecord<byte[], byte[]> record : kafka.poll(Duration.ofMillis(500))) {
                    look(record, rows, ids);
                }
            }
        }
        out.accept(String.format(
                Locale.ROOT,
                "%,d records: %,d copies of others, %,d that make no row or have no id; nothing was written",
                records,
                copies,
                unusable));
        return unusable == 0;
    }

    private void look(ConsumerRecord<byte[], byte[]> record, CopyRows rows, Set<String> ids) {
        records++;
        try {
            rows.append(record, new ByteArrayOutputStream());
            Optional<String> id = MessageIds.defaults().messageId(record);
            if (id.isEmpty()) {
                throw new Values.UnusableException("there is no message id");
            }
            if (!ids.add(id.get())) {
                copies++;
            }
        } catch (Values.UnusableException | RuntimeException e) {
            unusable++;
            if (unusable <= MOST_NAMED) {
                out.accept(
                        "%s-%d@%d: %s".formatted(record.topic(), record.partition(), record.offset(), e.getMessage()));
            }
        }
    }
}

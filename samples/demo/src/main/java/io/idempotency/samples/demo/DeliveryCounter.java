package io.idempotency.samples.demo;

import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Counts every record that a poll returns, before the library sees it. Kafka creates this class by its name. */
public final class DeliveryCounter implements ConsumerInterceptor<String, String> {

    static final String TALLY = "demo.tally";

    private Tally tally = new Tally();

    @Override
    public void configure(Map<String, ?> config) {
        if (config.get(TALLY) instanceof Tally given) {
            tally = given;
        }
    }

    @Override
    public ConsumerRecords<String, String> onConsume(ConsumerRecords<String, String> records) {
        for (int i = 0; i < records.count(); i++) {
            tally.add(Tally.Count.DELIVERIES);
        }
        return records;
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        // Only deliveries are counted.
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}

package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Map;
import org.apache.kafka.clients.admin.NewPartitions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class TopicPartitionsTest {

    private final TopicPartitions partitions = TopicPartitions.of(Broker.ADMIN);

    @Test
    @Tag("rule-4.5")
    void seesThatATopicHasGrown() {
        String topic = Broker.topic(2);
        assertThat(partitions.applyAsInt(topic)).isEqualTo(2);

        Broker.join(Broker.ADMIN
                .createPartitions(Map.of(topic, NewPartitions.increaseTo(3)))
                .all());

        await().untilAsserted(() -> assertThat(partitions.applyAsInt(topic)).isEqualTo(3));
    }

    @Test
    void saysZeroForATopicThatIsNotThere() {
        assertThat(partitions.applyAsInt("nowhere")).isZero();
    }
}

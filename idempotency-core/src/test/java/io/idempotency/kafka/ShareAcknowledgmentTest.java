package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRecordStateException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the log says if Kafka refuses an acknowledgment: nobody knows whether it accepted a record or renewed a lock. */
class ShareAcknowledgmentTest {

    @Test
    @Tag("rule-14.2")
    void aRefusedAcknowledgmentSaysWhatComesOfSettledRecordsAndOfOthers() {
        try (LogCapture log = new LogCapture()) {
            ShareLoop.acknowledged(
                    Map.of(new TopicIdPartition(Uuid.ZERO_UUID, 0, "orders"), Set.of(7L)),
                    new InvalidRecordStateException("The lock has run out"));

            assertThat(log.warnings())
                    .singleElement()
                    .asString()
                    .startsWith("Kafka did not take acknowledgments or renewals of")
                    .contains("orders-0", "[7]", "The lock has run out")
                    .contains("A record that comes again is a duplicate if it was settled, and is handled otherwise");
        }
    }
}

package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How long topics keep records is compared with how long ids are remembered. */
class TopicRetentionTest {

    @Test
    void warnsOfEachTopicThatKeepsRecordsLongerAndSaysNothingOfOneThatIsNotThereYet() {
        String longer = Broker.topic(1);
        String shorter = Broker.topic(1, Map.of("retention.ms", "60000"));
        try (LogCapture logs = new LogCapture()) {
            TopicRetention.warnIfLonger(
                    Broker.ADMIN, List.of("not-there-yet", longer, shorter), Duration.ofMinutes(20));

            assertThat(logs.all())
                    .singleElement()
                    .asString()
                    .startsWith("Topic " + longer + " keeps its records for 168 h, ids are remembered for 20 min");
        }
    }
}

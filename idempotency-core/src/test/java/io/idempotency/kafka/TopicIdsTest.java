package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class TopicIdsTest {

    private final AtomicLong nanos = new AtomicLong();
    private final TopicIds ids = new TopicIds(Broker.ADMIN, nanos::get);

    @Test
    @Tag("rule-2.4")
    void tellsATopicThatWasCreatedAgainFromTheFormerOne() {
        String topic = Broker.topic(1);
        String former = ids.apply(topic);
        Broker.createAgain(topic, 1);
        assertThat(ids.apply(topic)).isEqualTo(former);
        nanos.addAndGet(Duration.ofSeconds(11).toNanos());

        await().ignoreExceptions()
                .untilAsserted(() -> assertThat(ids.apply(topic)).isNotEqualTo(former));
    }

    @Test
    void failsTransientlyForATopicThatIsNotThere() {
        assertThatThrownBy(() -> ids.apply("nowhere"))
                .isInstanceOf(TransientStoreException.class)
                .hasMessageContaining("nowhere");
    }
}

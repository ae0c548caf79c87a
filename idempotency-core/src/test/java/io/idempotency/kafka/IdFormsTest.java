package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.IdForms;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a person writes stands for the ids that {@link MessageIds} reads. */
@Tag("rule-8.22")
class IdFormsTest {

    private final ConsumerRecord<String, String> record = new ConsumerRecord<>("orders", 3, 18272, "4711", "4711");

    @Test
    void standsForEveryKindOfId() {
        assertThat(IdForms.of("4711"))
                .contains(id(MessageIds.key()))
                .contains(id(MessageIds.value(value -> value)))
                .contains(id(MessageIds.record(ConsumerRecord::key)));
        record.headers().add("message-id", "4711".getBytes(UTF_8));
        assertThat(IdForms.of("4711")).startsWith(id(MessageIds.defaults()));
    }

    @Test
    void standsForAHeaderThatLooksLikeAKind() {
        record.headers().add("message-id", "~key:4711".getBytes(UTF_8));

        assertThat(IdForms.of("~key:4711")).contains(id(MessageIds.defaults()));
    }

    @Test
    void standsForACloudEvent() {
        record.headers().add("ce_source", "/orders".getBytes(UTF_8)).add("ce_id", "4711".getBytes(UTF_8));

        assertThat(IdForms.of("/orders 4711")).contains(id(MessageIds.defaults()));
        assertThat(IdForms.of("a b c")).hasSize(4);
    }

    private String id(MessageIds<?> ids) {
        @SuppressWarnings("unchecked")
        MessageIds<Object> any = (MessageIds<Object>) ids;
        return any.messageId(record).orElseThrow();
    }
}

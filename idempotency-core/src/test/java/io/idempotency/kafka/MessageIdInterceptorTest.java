package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageIdInterceptorTest {

    private final MessageIdInterceptor<String, String> interceptor = new MessageIdInterceptor<>();

    @Test
    void stampsATimeOrderedUuidWhereNoIdIs() {
        UUID first = UUID.fromString(id(interceptor.onSend(new ProducerRecord<>("orders", "v")), "message-id"));
        UUID second = UUID.fromString(id(interceptor.onSend(new ProducerRecord<>("orders", "v")), "message-id"));

        assertThat(first.version()).isEqualTo(7);
        assertThat(second.toString()).isGreaterThan(first.toString());
    }

    @Test
    void neverOverwritesAnId() {
        ProducerRecord<String, String> record = new ProducerRecord<>("orders", "v");
        record.headers().add("message-id", "mine".getBytes(UTF_8));

        assertThat(interceptor.onSend(record)).isSameAs(record);
        assertThat(record.headers().headers("message-id")).hasSize(1);
    }

    @Test
    void stampsTheHeaderThatIsConfigured() {
        interceptor.configure(Map.of(MessageIdInterceptor.HEADER_CONFIG, "x-id"));

        assertThat(id(interceptor.onSend(new ProducerRecord<>("orders", "v")), "x-id"))
                .hasSize(36);
    }

    @Test
    void stampsNothingWhereAnotherHeaderCarriesTheId() {
        interceptor.configure(Map.of(MessageIdInterceptor.HEADER_CONFIG, "x-id, y-id"));
        ProducerRecord<String, String> second = new ProducerRecord<>("orders", "v");
        second.headers().add("y-id", "mine".getBytes(UTF_8));
        ProducerRecord<String, String> event = new ProducerRecord<>("orders", "v");
        event.headers().add("ce_source", "/shop".getBytes(UTF_8)).add("ce_id", "7".getBytes(UTF_8));

        assertThat(interceptor.onSend(second).headers().lastHeader("x-id")).isNull();
        assertThat(interceptor.onSend(event).headers().lastHeader("x-id")).isNull();
    }

    @Test
    void stampsNothingWhereAHeaderOfThatNameInAnotherCaseCarriesTheId() {
        ProducerRecord<String, String> record = new ProducerRecord<>("orders", "v");
        record.headers().add("Message-Id", "mine".getBytes(UTF_8));

        assertThat(interceptor.onSend(record).headers().toArray()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"kafka_original-topic", "kafka_dlt-original-topic"})
    void stampsWhatIsForwardedUnlessToldNotTo(String header) {
        ProducerRecord<String, String> record = new ProducerRecord<>("orders-retry", "v");
        record.headers().add(header, "orders".getBytes(UTF_8));

        interceptor.configure(Map.of(MessageIdInterceptor.FORWARDED_CONFIG, "false"));
        assertThat(interceptor.onSend(record).headers().toArray()).hasSize(1);
        assertThat(id(interceptor.onSend(new ProducerRecord<>("orders", "v")), "message-id"))
                .hasSize(36);

        interceptor.configure(Map.of());
        assertThat(id(interceptor.onSend(record), "message-id")).hasSize(36);
    }

    @Test
    void stampsARecordWhoseIdIsBlank() {
        ProducerRecord<String, String> record = new ProducerRecord<>("orders", "v");
        record.headers().add("message-id", " ".getBytes(UTF_8)).add("message-id", null);

        assertThat(id(interceptor.onSend(record), "message-id")).hasSize(36);
    }

    @Test
    void stampsACopyOfARecordWhoseHeadersAreClosed() {
        ProducerRecord<String, String> record = new ProducerRecord<>("orders", 3, 17L, "k", "v");
        record.headers().add("other", "kept".getBytes(UTF_8));
        ((RecordHeaders) record.headers()).setReadOnly();

        ProducerRecord<String, String> stamped = interceptor.onSend(record);

        assertThat(id(stamped, "message-id")).hasSize(36);
        assertThat(id(stamped, "other")).isEqualTo("kept");
        assertThat(stamped.partition()).isEqualTo(3);
        assertThat(stamped.timestamp()).isEqualTo(17L);
    }

    private static String id(ProducerRecord<?, ?> record, String header) {
        Header found = record.headers().lastHeader(header);
        assertThat(found).isNotNull();
        return new String(found.value(), UTF_8);
    }
}

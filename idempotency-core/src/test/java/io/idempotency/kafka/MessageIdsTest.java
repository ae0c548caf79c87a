package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.MemoryStore;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageIdsTest {

    private final ConsumerRecord<String, String> record = new ConsumerRecord<>("orders", 3, 18272, "k-1", "v-1");

    @Test
    void takesTheHeaderAsItIs() {
        header("message-id", "0198f2c4-7a1e-7cc3-98c4-dc0c0c07398f");

        assertThat(MessageIds.defaults().messageId(record)).contains("0198f2c4-7a1e-7cc3-98c4-dc0c0c07398f");
    }

    @Test
    void takesTheFirstHeaderThatIsThere() {
        header("second", "2");
        header("third", "3");

        assertThat(MessageIds.header("first", "second", "third").messageId(record))
                .contains("2");
    }

    @Test
    void looksFurtherWhenAHeaderIsBlank() {
        header("first", "  ");
        header("second", "2");

        assertThat(MessageIds.header("first", "second").messageId(record)).contains("2");
    }

    @Test
    void namesPositionAndHeadersWhenThereIsNoId() {
        header("ce_source", " ");

        assertThatThrownBy(() -> MessageIds.header("message-id", "x-id")
                        .orElse(MessageIds.cloudEvents())
                        .messageId(record))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("MessageIdInterceptor")
                .hasMessageStartingWith("The record orders-3@18272 has no message id: header message-id is missing,"
                        + " header x-id is missing, header ce_source is blank, header ce_id is missing");
    }

    @Test
    void treatsAHeaderWithoutValueAsMissing() {
        record.headers().add("message-id", null);

        assertThatThrownBy(() -> MessageIds.header("message-id").messageId(record))
                .hasMessageContaining("header message-id is missing");
    }

    @Test
    @Tag("rule-2.1")
    void refusesBytesThatAreNotUtf8() {
        record.headers().add("message-id", new byte[] {'a', (byte) 0xff, (byte) 0xfe});

        assertThatThrownBy(() -> MessageIds.defaults().messageId(record))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("orders-3@18272")
                .hasMessageContaining("header message-id holds bytes that are not UTF-8");
    }

    @Test
    @Tag("rule-2.1")
    void doesNotLookFurtherWhenAnIdIsMalformed() {
        record.headers().add("message-id", new byte[] {(byte) 0xc3});

        assertThatThrownBy(() -> MessageIds.defaults().orElse(MessageIds.key()).messageId(record))
                .isInstanceOf(InvalidMessageIdException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"line\nbreak", "nul\u0000", "replaced \uFFFD", "tab\t"})
    void namesThePositionOfAnIdThatCannotBeUsed(String id) {
        header("message-id", id);

        assertThat(failure()).isInstanceOf(InvalidMessageIdException.class).hasMessageContaining("orders-3@18272");
    }

    /** What the consumer says of the record. */
    private Throwable failure() {
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer("billing")
                .store(MemoryStore.create())
                .failures(FailurePolicy.leaveToCaller())
                .build();
        return consumer.consumeAll(List.of(record), (message, claim) -> {})
                .stops()
                .get(0)
                .cause()
                .orElseThrow();
    }

    @Test
    void namesThePositionOfAnIdOfFiveKibibytes() {
        header("message-id", "x".repeat(5 * 1024));

        assertThat(failure())
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("orders-3@18272")
                .hasMessageContaining("longer than 4096 bytes");
    }

    @Test
    @Tag("rule-2.4")
    void keepsCloudEventsOfTwoSourcesApart() {
        assertThat(cloudEvent("/a", "b1")).isNotEqualTo(cloudEvent("/ab", "1"));
        assertThat(cloudEvent("/a", "1")).isNotEqualTo(cloudEvent("/b", "1"));
        assertThat(cloudEvent("1:/a", "1")).isNotEqualTo(cloudEvent("1", ":/a1"));
    }

    @Test
    @Tag("rule-2.4")
    void neverLetsIdsOfTwoKindsMeet() {
        MessageIds<Object> coordinates = MessageIds.coordinates(topic -> "t1");
        List<String> fallbacks = List.of(
                id(MessageIds.key()),
                id(MessageIds.value((String value) -> value)),
                id(MessageIds.value((String value) -> "k-1")),
                id(coordinates),
                cloudEvent("/a", "1"));
        Set<String> all = new HashSet<>(fallbacks);
        for (String fallback : fallbacks) {
            all.add(headerId(fallback));
            all.add(headerId(fallback.substring(1)));
            all.add(headerId("~" + fallback));
        }
        all.add(headerId("k-1"));

        assertThat(all).hasSize(fallbacks.size() * 4 + 1);
    }

    @Test
    void takesKeysThatAreTextBytesUuidsOrNumbers() {
        UUID uuid = UUID.randomUUID();
        for (Object key : List.of("7", "7".getBytes(UTF_8), 7, 7L)) {
            assertThat(MessageIds.key().messageId(new ConsumerRecord<>("orders", 3, 18272, key, null)))
                    .contains("~key:7");
        }
        assertThat(MessageIds.key().messageId(new ConsumerRecord<>("orders", 3, 18272, uuid, null)))
                .contains("~key:" + uuid);
    }

    @Test
    void refusesAKeyWhoseTextIsNotItsIdentity() {
        assertThatThrownBy(
                        () -> MessageIds.key().messageId(new ConsumerRecord<>("orders", 3, 18272, new Object(), null)))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("orders-3@18272")
                .hasMessageContaining("java.lang.Object");
    }

    @Test
    void namesWhatIsMissingInATombstone() {
        ConsumerRecord<@Nullable String, @Nullable String> tombstone =
                new ConsumerRecord<>("orders", 3, 18272, null, null);

        assertThatThrownBy(() -> MessageIds.value((String value) -> value)
                        .orElse(MessageIds.key())
                        .messageId(tombstone))
                .hasMessageStartingWith(
                        "The record orders-3@18272 has no message id: the value is null, the key is null.");
    }

    @Test
    void saysThatAFunctionCouldNotReadTheValue() {
        assertThatThrownBy(() -> MessageIds.value((String value) -> {
                            throw new IllegalArgumentException("no field id");
                        })
                        .messageId(record))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("orders-3@18272")
                .hasMessageContaining("no field id");
    }

    @Test
    @Tag("rule-2.4")
    void givesOtherCoordinatesToATopicThatWasCreatedAgain() {
        assertThat(id(MessageIds.coordinates(topic -> "first")))
                .isNotEqualTo(id(MessageIds.coordinates(topic -> "second")));
    }

    @Test
    void followsRetryTopicsBackToTheOriginalCoordinates() {
        String original = id(MessageIds.coordinates(topic -> topic + "-id"));
        ConsumerRecord<String, String> retried = new ConsumerRecord<>("orders-retry-0", 0, 5, "k-1", "v-1");
        origin(retried, "kafka_original-", "orders", 3, 18272);

        assertThat(MessageIds.coordinates(topic -> topic + "-id").messageId(retried))
                .contains(original);
    }

    @Test
    void believesTheEarliestOriginWhenARecordWasForwardedTwice() {
        String original = id(MessageIds.coordinates(topic -> "id"));
        ConsumerRecord<String, String> retried = new ConsumerRecord<>("orders-dlt", 0, 5, "k-1", "v-1");
        origin(retried, "kafka_dlt-original-", "orders", 3, 18272);
        origin(retried, "kafka_dlt-original-", "orders-dlt", 1, 2);
        origin(retried, "kafka_original-", "orders-dlt", 1, 2);

        assertThat(MessageIds.coordinates(topic -> "id").messageId(retried)).contains(original);
    }

    @Test
    void refusesAnOriginThatIsNotComplete() {
        header("kafka_original-topic", "orders");
        record.headers().add("kafka_original-partition", new byte[] {1});

        assertThatThrownBy(() -> MessageIds.coordinates(topic -> "id").messageId(record))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("orders-3@18272")
                .hasMessageContaining("kafka_original-partition");
    }

    @Test
    void readsTheIdFromTheRecordByAFunction() {
        assertThat(id(MessageIds.record(any -> any.topic() + any.offset())))
                .isEqualTo("~record:" + record.topic() + record.offset());
        assertThatThrownBy(() -> id(MessageIds.record(any -> null)))
                .hasMessageContaining("the id in the record is null");
        assertThatThrownBy(() -> id(MessageIds.record(any -> {
                    throw new IllegalStateException("no such field");
                })))
                .hasMessageContaining("no such field");
    }

    @Test
    void givesEveryDeliveryAnIdOfItsOwnIfNothingIsToBeRecognised() {
        assertThat(id(MessageIds.unrecognised())).startsWith("~random:").isNotEqualTo(id(MessageIds.unrecognised()));
    }

    private void header(String name, String value) {
        record.headers().add(name, value.getBytes(UTF_8));
    }

    private String id(MessageIds<? super String> ids) {
        return ids.messageId(record).orElseThrow();
    }

    private static String headerId(String value) {
        ConsumerRecord<String, String> other = new ConsumerRecord<>("orders", 0, 0, "", "");
        other.headers().add("message-id", value.getBytes(UTF_8));
        return MessageIds.defaults().messageId(other).orElseThrow();
    }

    private static String cloudEvent(String source, String id) {
        ConsumerRecord<String, String> other = new ConsumerRecord<>("orders", 0, 0, "", "");
        other.headers().add("ce_source", source.getBytes(UTF_8)).add("ce_id", id.getBytes(UTF_8));
        return MessageIds.defaults().messageId(other).orElseThrow();
    }

    private static void origin(ConsumerRecord<?, ?> record, String family, String topic, int partition, long offset) {
        RecordHeaders headers = (RecordHeaders) record.headers();
        headers.add(family + "topic", topic.getBytes(UTF_8));
        headers.add(
                family + "partition", ByteBuffer.allocate(4).putInt(partition).array());
        headers.add(family + "offset", ByteBuffer.allocate(8).putLong(offset).array());
    }
}

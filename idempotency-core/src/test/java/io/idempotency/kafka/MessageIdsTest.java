package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.UnreadableMessageIdException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
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
    void takesTheLastOfSeveralHeadersThatIsNotBlank() {
        header("message-id", "1");
        header("message-id", "2");
        header("message-id", " \u200b");
        record.headers().add("message-id", null);

        assertThat(MessageIds.defaults().messageId(record)).contains("2");
    }

    @Test
    void takesAHeaderWhoseNameDiffersInCaseOnlyIfNoneIsWrittenSo() {
        header("CE_Source", "/shop");
        header("Ce_Id", "7");
        assertThat(id(MessageIds.defaults())).isEqualTo("~ce:5:/shop7");

        header("Message-Id", "1");
        assertThat(id(MessageIds.defaults())).isEqualTo("1");

        header("message-id", "2");
        header("MESSAGE-ID", "3");
        header("message-id", " ");
        assertThat(id(MessageIds.defaults())).isEqualTo("2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\u00a0", "\u200b\ufeff", "\u202e", " \t\n"})
    void looksFurtherWhenNothingOfAHeaderCanBeSeen(String blank) {
        header("first", blank);
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
                .isInstanceOf(UnreadableMessageIdException.class)
                .hasMessageContaining("orders-3@18272")
                .hasMessageContaining("no field id")
                .hasMessageContaining("the value is a java.lang.String");
    }

    @Test
    void saysWhatTheValueWasInWhichNoIdWasFound() {
        assertThatThrownBy(() -> MessageIds.record(found -> null).messageId(record))
                .hasMessageContaining("the id in the record is null (the value is a java.lang.String");
    }

    @Test
    void tellsARefusalByTheFunctionFromItsFailure() {
        assertThatThrownBy(() -> MessageIds.value((String value) -> {
                            throw new InvalidMessageIdException("the value is no JSON");
                        })
                        .messageId(record))
                .isExactlyInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("orders-3@18272")
                .hasMessageContaining("the value is no JSON");
    }

    @Test
    @Tag("rule-2.4")
    void givesOtherCoordinatesToATopicThatWasCreatedAgain() {
        assertThat(id(MessageIds.coordinates(topic -> "first")))
                .isNotEqualTo(id(MessageIds.coordinates(topic -> "second")));
    }

    @Test
    @Tag("rule-2.7")
    void givesOtherCoordinatesToARecordThatStandsWhereAnotherOneWasCutOff() {
        MessageIds<Object> coordinates = MessageIds.coordinates(topic -> "id");

        assertThat(List.of(stands(1_000, 4), stands(1_000, 5), stands(1_001, 4), stands(1_000, -1)))
                .extracting(found -> coordinates.messageId(found).orElseThrow())
                .doesNotHaveDuplicates();
        assertThat(coordinates.messageId(stands(1_000, 4))).isEqualTo(coordinates.messageId(stands(1_000, 4)));
    }

    @Test
    @Tag("rule-2.7")
    void doesNotBelieveARecordThatSaysItStoodSomewhereElse() {
        MessageIds<Object> coordinates = MessageIds.coordinates(topic -> "id");
        ConsumerRecord<String, String> real = new ConsumerRecord<>("orders", 0, 1001, "k-1", "v-1");
        for (String family : List.of("kafka_original-", "kafka_dlt-original-")) {
            ConsumerRecord<String, String> forged = new ConsumerRecord<>("orders", 1, 5, "k-1", "v-1");
            origin(forged, family, "orders", 0, 1001, 1_000);

            assertThat(coordinates.messageId(forged))
                    .isNotEqualTo(coordinates.messageId(real))
                    .isEqualTo(coordinates.messageId(new ConsumerRecord<>("orders", 1, 5, "k-1", "v-1")));
        }
    }

    private static final MessageIds<Object> FORWARDED =
            MessageIds.coordinates(topic -> topic + "-id", Set.of("orders-retry-0", "orders-dlt")::contains);

    @Test
    @Tag("rule-2.7")
    void followsRetryTopicsBackToTheOriginalCoordinates() {
        ConsumerRecord<String, String> retried = new ConsumerRecord<>("orders-retry-0", 0, 5, "k-1", "v-1");
        origin(retried, "kafka_original-", "orders", 3, 18272, 1_000);

        assertThat(FORWARDED.messageId(retried)).isEqualTo(FORWARDED.messageId(stands(1_000, 4)));
        assertThat(FORWARDED.messageId(retried)).isNotEqualTo(FORWARDED.messageId(stands(1_001, 4)));
    }

    @Test
    void believesTheEarliestOriginWhenARecordWasForwardedTwice() {
        ConsumerRecord<String, String> retried = new ConsumerRecord<>("orders-dlt", 0, 5, "k-1", "v-1");
        origin(retried, "kafka_dlt-original-", "orders", 3, 18272, 1_000);
        origin(retried, "kafka_dlt-original-", "orders-dlt", 1, 2, 2_000);
        origin(retried, "kafka_original-", "orders-dlt", 1, 2, 3_000);

        assertThat(FORWARDED.messageId(retried)).isEqualTo(FORWARDED.messageId(stands(1_000, 4)));
    }

    @Test
    @Tag("rule-2.7")
    void doesNotBelieveWhatCameWithTheRecordWhenItWasForwarded() {
        ConsumerRecord<String, String> retried = new ConsumerRecord<>("orders-retry-0", 0, 5, "k-1", "v-1");
        origin(retried, "kafka_dlt-original-", "orders", 0, 1001, 1_000);
        origin(retried, "kafka_original-", "orders", 3, 18272, 1_000);
        origin(retried, "kafka_original-", "orders-retry-0", 0, 4, 2_000);

        assertThat(FORWARDED.messageId(retried)).isEqualTo(FORWARDED.messageId(stands(1_000, 4)));
    }

    /** Spring-kafka's retry topics keep what is there already. */
    @Test
    @Tag("rule-2.7")
    void takesAnOriginOffARecordThatWasNotForwarded() {
        for (String family : List.of("kafka_original-", "kafka_dlt-original-")) {
            origin(record, family, "orders", 0, 1001, 1_000);
        }
        header("other", "kept");

        assertThat(FORWARDED.messageId(record))
                .isEqualTo(FORWARDED.messageId(new ConsumerRecord<>("orders", 3, 18272, "k-1", "v-1")));
        assertThat(record.headers()).extracting(Header::key).containsExactly("other");
    }

    @Test
    void takesTheOwnCoordinatesOfARecordThatWasSentToARetryTopic() {
        ConsumerRecord<String, String> sent = new ConsumerRecord<>("orders-retry-0", 0, 5, "k-1", "v-1");
        ConsumerRecord<String, String> again = new ConsumerRecord<>("orders-dlt", 0, 7, "k-1", "v-1");
        origin(again, "kafka_original-", "orders-retry-0", 0, 5, sent.timestamp());

        assertThat(FORWARDED.messageId(sent))
                .isEqualTo(FORWARDED.messageId(again))
                .isNotEqualTo(FORWARDED.messageId(new ConsumerRecord<>("orders-retry-0", 0, 6, "k-1", "v-1")));
    }

    @Test
    void refusesAnOriginThatIsNotComplete() {
        ConsumerRecord<String, String> retried = new ConsumerRecord<>("orders-retry-0", 0, 5, "k-1", "v-1");
        retried.headers().add("kafka_original-topic", "orders".getBytes(UTF_8));
        assertThatThrownBy(() -> FORWARDED.messageId(retried))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("orders-retry-0-0@5")
                .hasMessageContaining("kafka_original-partition is missing");

        retried.headers().add("kafka_original-partition", new byte[] {1});
        assertThatThrownBy(() -> FORWARDED.messageId(retried)).hasMessageContaining("1 bytes instead of 4");
    }

    @ParameterizedTest
    @MethodSource("texts")
    @Tag("rule-2.6")
    void takesTextBytesUuidsAndWholeNumbersWhereverTheyStand(Object found, String id) {
        assertThat(id(MessageIds.record(any -> found))).isEqualTo("~record:" + id);
        assertThat(id(MessageIds.value((String any) -> found))).isEqualTo("~value:" + id);
        assertThat(MessageIds.key().messageId(new ConsumerRecord<>("orders", 3, 18272, found, null)))
                .contains("~key:" + id);
    }

    static Stream<Arguments> texts() {
        UUID uuid = UUID.randomUUID();
        return Stream.of(
                Arguments.of("\u00e4-7", "\u00e4-7"),
                Arguments.of("\u00e4-7".getBytes(UTF_8), "\u00e4-7"),
                Arguments.of(CharBuffer.wrap("7"), "7"),
                Arguments.of(7L, "7"),
                Arguments.of(-7, "-7"),
                Arguments.of((short) 7, "7"),
                Arguments.of((byte) 7, "7"),
                Arguments.of(new BigInteger("12345678901234567890123"), "12345678901234567890123"),
                Arguments.of(uuid, uuid.toString()));
    }

    @ParameterizedTest
    @MethodSource("others")
    @Tag("rule-2.6")
    void refusesWhatHasNoTextOfItsOwnWhereverItStands(Object found, String says) {
        for (MessageIds<? super String> ids :
                List.of(MessageIds.<String>record(any -> found), MessageIds.value((String any) -> found))) {
            assertThatThrownBy(() -> ids.orElse(MessageIds.key()).messageId(record))
                    .isInstanceOf(InvalidMessageIdException.class)
                    .hasMessageContaining("orders-3@18272")
                    .hasMessageContaining(says);
        }
        assertThatThrownBy(() -> MessageIds.key().messageId(new ConsumerRecord<>("orders", 3, 18272, found, null)))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining(says);
    }

    static Stream<Arguments> others() {
        return Stream.of(
                Arguments.of(new byte[] {'a', (byte) 0xff}, "bytes that are not UTF-8"),
                Arguments.of(new int[] {7}, "is a int[], not text"),
                Arguments.of(new String[] {"7"}, "is a java.lang.String[], not text"),
                Arguments.of(ByteBuffer.wrap(new byte[] {'7'}), "HeapByteBuffer, not text"),
                Arguments.of(List.of("7"), "Take a part of it"),
                Arguments.of(new Object(), "is a java.lang.Object, not text"),
                Arguments.of(Optional.of("7"), "as by orElse(null)"),
                Arguments.of(true, "java.lang.Boolean"),
                Arguments.of('7', "java.lang.Character"),
                Arguments.of(TimestampType.CREATE_TIME, "TimestampType"),
                Arguments.of(new AtomicLong(7), "AtomicLong"),
                Arguments.of(7f, "have it sent as text"),
                Arguments.of(1.0E3, "have it sent as text"),
                Arguments.of(new BigDecimal("1E+3"), "have it sent as text"));
    }

    /** Both are infinite as a double, which is what JSON readers make of them. */
    @Test
    @Tag("rule-2.6")
    void refusesNumbersThatAreOneNumberOnceTheyAreRead() {
        assertThat(Double.valueOf("1e400")).isEqualTo(Double.valueOf("2e500"));

        assertThatThrownBy(() -> id(MessageIds.value((String any) -> Double.valueOf("1e400"))))
                .isInstanceOf(InvalidMessageIdException.class);
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

    /** What stands at one place, written at that time by the leader of that epoch, if that is known. */
    private static ConsumerRecord<String, String> stands(long timestamp, int epoch) {
        return new ConsumerRecord<>(
                "orders",
                3,
                18272,
                timestamp,
                TimestampType.CREATE_TIME,
                3,
                3,
                "k-1",
                "v-1",
                new RecordHeaders(),
                epoch < 0 ? Optional.empty() : Optional.of(epoch));
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

    private static void origin(
            ConsumerRecord<?, ?> record, String family, String topic, int partition, long offset, long timestamp) {
        RecordHeaders headers = (RecordHeaders) record.headers();
        headers.add(family + "topic", topic.getBytes(UTF_8));
        headers.add(
                family + "partition", ByteBuffer.allocate(4).putInt(partition).array());
        headers.add(family + "offset", ByteBuffer.allocate(8).putLong(offset).array());
        headers.add(
                family + "timestamp", ByteBuffer.allocate(8).putLong(timestamp).array());
    }
}

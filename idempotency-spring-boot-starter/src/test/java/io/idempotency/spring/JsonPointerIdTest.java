package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.kafka.MessageIds;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.UnreadableMessageIdException;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A JSON pointer finds one id in a text that has one meaning, and nothing in any other. */
class JsonPointerIdTest {

    private static String id(String pointer, @Nullable Object value) {
        return MessageIds.record(new JsonPointerId(pointer)::read)
                .messageId(new ConsumerRecord<>("orders", 0, 7, "key", value))
                .orElseThrow();
    }

    @Test
    @Tag("rule-2.10")
    void readsTextAndBytes() {
        String json = "{\"order\": {\"id\": \"\u00e4-7\", \"lines\": [{\"id\": 1}]}, \"a/b\": \"slash\"}";

        for (Object value : List.of(json, json.getBytes(UTF_8), new Bytes(json.getBytes(UTF_8)))) {
            assertThat(id("/order/id", value)).isEqualTo("~record:\u00e4-7");
        }
        assertThat(id("/order/lines/0/id", json)).isEqualTo("~record:1");
        assertThat(id("/a~1b", json)).isEqualTo("~record:slash");
    }

    @ParameterizedTest
    @CsvSource({
        "12, 12",
        "-3, -3",
        "12345678901234567890123, 12345678901234567890123",
    })
    @Tag("rule-2.10")
    void keepsTheDigitsOfNumbers(String number, String id) {
        assertThat(id("/id", "{\"id\": " + number + "}")).isEqualTo("~record:" + id);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"id\": 1, \"id\": 2}",
                "{\"id\": 1, \"other\": {\"a\": 1, \"a\": 1}}",
                "{\"id\": 1} {\"id\": 2}",
                "{\"id\": 1",
                "{'id': 1}",
                "",
                "secret",
            })
    @Tag("rule-2.10")
    void refusesTextThatTwoReadersMayReadDifferently(String value) {
        assertThatThrownBy(() -> id("/id", value))
                .isExactlyInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("orders-0@7")
                .hasMessageNotContaining("secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.0", "1e3", "true", "{\"a\": 1}", "[1]"})
    @Tag("rule-2.10")
    void refusesWhatCanBeNoId(String found) {
        assertThatThrownBy(() -> id("/id", "{\"id\": " + found + "}"))
                .isExactlyInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("not text, bytes of UTF-8, a UUID or a whole number");
    }

    @Test
    @Tag("rule-2.6")
    void refusesHalfOfACharacter() {
        assertThat(id("/id", "{\"id\": \"\\ud83d\\ude00\"}")).isEqualTo("~record:\ud83d\ude00");
        assertThatThrownBy(() -> new io.idempotency.store.MessageId("billing", id("/id", "{\"id\": \"\\ud83d\"}")))
                .isInstanceOf(InvalidMessageIdException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"id\": null}", "{\"id\": \" \"}", "[]", "7"})
    void countsAsMissingWhatIsNotThere(String value) {
        assertThatThrownBy(() -> id("/id", value))
                .hasMessageContaining("has no message id")
                .hasMessageContaining("the value is a java.lang.String");
    }

    @Test
    void countsATombstoneAsMissing() {
        assertThatThrownBy(() -> id("/id", null))
                .isExactlyInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("the value is null");
    }

    @Test
    void saysThatAnObjectNeedsAnExpression() {
        assertThatThrownBy(() -> id("/id", List.of(1)))
                .isInstanceOf(UnreadableMessageIdException.class)
                .hasMessageContaining("text or bytes")
                .hasMessageContaining("value.eventId");
    }
}

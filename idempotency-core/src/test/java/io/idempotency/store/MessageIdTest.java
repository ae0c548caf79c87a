package io.idempotency.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageIdTest {

    private static final Position POSITION = new Position("orders", 0, 7);

    @ParameterizedTest
    @ValueSource(
            strings = {"", "  ", "\t", "\u00a0", "\u2003", "\u200b", "\ufeff", "\u202e\u2066", "\u2028", "\u00ad \u200d"
            })
    void refusesAnIdOfWhichNothingCanBeSeen(String value) {
        assertThatThrownBy(() -> new MessageId("billing", value))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessage("The message id is blank");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"nul\u0000", "line\nbreak", "esc\u001b[31m", "next\u0085line", "\ud800", "a\udc00b", "\ufffd"})
    @Tag("rule-2.1")
    void refusesControlCharactersHalfPairsAndWhatWasDecodedWrongly(String value) {
        assertThatThrownBy(() -> new MessageId("billing", value)).isInstanceOf(InvalidMessageIdException.class);
    }

    @Test
    void takesFourKibibytesAndNoMore() {
        assertThatCode(() -> new MessageId("billing", "\u00e4".repeat(2048))).doesNotThrowAnyException();
        assertThatThrownBy(() -> new MessageId("billing", "\u00e4".repeat(2048) + "a"))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("longer than 4096 bytes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[B@1f2a", "~record:[B@7ad041f3", "order-[B@0"})
    @Tag("rule-2.6")
    void refusesTheTextOfAnArrayWhichIsAnotherOneAtEachDelivery(String value) {
        assertThatThrownBy(() -> new MessageId("billing", value))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContaining("array");
        assertThatCode(() -> new MessageId("billing", "mail[B@example.org]")).doesNotThrowAnyException();
    }

    @Test
    @Tag("rule-2.9")
    void isPrintedWithoutCharactersThatDoNotShowOrTurnTheLine() {
        String forged = "a\u202e5-0@0-sredro\u2066b\u200b\u2028\u00a0\u00adc\u3164\ufe0f\udb40\udc41";
        Delivery delivery = new Delivery(new MessageId("billing", forged), POSITION);

        assertThat(delivery)
                .hasToString(
                        "billing/a\\u202E5-0@0-sredro\\u2066b\\u200B\\u2028\\u00A0\\u00ADc\\u3164\\uFE0F\\uDB40\\uDC41"
                                + " at orders-0@7");
        assertThat(delivery.id().value()).isEqualTo(forged);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "order 1/a\\b",
                "\u0437\u0430\u043a\u0430\u0437-1",
                "\u6ce8\u6587-1",
                "\u05d4\u05d6\u05de\u05e0\u05d4",
                "\ud83d\ude80"
            })
    void isPrintedAsItIsWhereItShows(String value) {
        assertThat(new MessageId("billing", value)).hasToString("billing/" + value);
    }

    @Test
    @Tag("rule-2.9")
    void isPrintedSafelyWhereItIsRefused() {
        assertThatThrownBy(() -> new MessageId("billing", "a\u202eb\r\nc\ud800"))
                .hasMessageStartingWith("The message id \"a\\u202Eb\\u000D\\u000Ac\\uD800\" holds");
        assertThatThrownBy(() -> new MessageId("bil\nling", "a")).hasMessageContaining("bil\\u000Aling");
    }

    @Test
    @Tag("rule-2.9")
    void isPrintedWithAPositionThatCannotForgeALineEither() {
        assertThat(new Position("queue\n2026 INFO\u202e", 0, 7)).hasToString("queue\\u000A2026 INFO\\u202E-0@7");
    }
}

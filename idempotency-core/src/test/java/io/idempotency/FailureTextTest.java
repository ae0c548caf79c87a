package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What of a failure is written down. */
@Tag("rule-7.5")
class FailureTextTest {

    @Test
    void hasTheMessagesOfAllCausesWhereTheyCameFromAndWhatWasSuppressed() {
        IOException cause = new IOException("no route");
        RuntimeException failure = new RuntimeException("no order", cause);
        failure.addSuppressed(new IllegalStateException("no rollback"));

        assertThat(FailureText.trace(failure))
                .startsWith("java.lang.RuntimeException: no order\n\tat " + FailureTextTest.class.getName())
                .contains("\tSuppressed: java.lang.IllegalStateException: no rollback")
                .containsPattern("Caused by: java.io.IOException: no route\n\tat .*\n\t\\.\\.\\. \\d+ more\n$");
    }

    @Test
    void hasTheInnermostCauseHoweverManyThereAre() {
        Throwable failure = new IOException("the reason");
        for (int i = 0; i < 4_000; i++) {
            failure = new RuntimeException("x".repeat(5_000), failure);
        }

        assertThat(FailureText.trace(failure))
                .contains("Caused by: java.io.IOException: the reason", "3971 causes left out")
                .hasSizeLessThan(FailureText.MOST_CHARS);
    }

    @Test
    void keepsALongMessageOfASingleFailure() {
        assertThat(FailureText.trace(new IOException("x".repeat(10_000)))).contains("x".repeat(10_000));
        assertThat(FailureText.trace(new IOException("x".repeat(1_000_000)))).hasSizeLessThan(FailureText.MOST_CHARS);
    }

    @Test
    void isOneLineInALineAndShowsWhatCannotBeSeen() {
        String hidden = IntStream.of('\r', '\n', 0x1B, 0x202E, 0x2066, 0x2028, 0x85, 0xD800, 0xE0001)
                .mapToObj(Character::toString)
                .reduce("", String::concat);

        assertThat(FailureText.line(new IOException("Größe: 3 €" + hidden + "😀")))
                .isEqualTo(
                        "java.io.IOException: Größe: 3 €\\u000D\\u000A\\u001B\\u202E\\u2066\\u2028\\u0085\\uD800\\uDB40\\uDC01😀");
    }

    @Test
    void isTheFailureItselfInTheLogWhereALoggerCanPrintIt() {
        IOException failure = new IOException("no", new RuntimeException("why"));
        Throwable deep = failure;
        for (int i = 0; i < 50; i++) {
            deep = new RuntimeException(deep);
        }

        assertThat(FailureText.loggable(failure)).isSameAs(failure);
        assertThat(FailureText.loggable(deep))
                .isNotSameAs(deep)
                .hasMessageContaining("Caused by: java.lang.RuntimeException: why")
                .hasNoCause();
    }

    @Test
    @Tag("rule-9.26")
    void namesTheExceptionThatOthersWrap() {
        Throwable thrown = new IllegalStateException("no account", new IllegalArgumentException("empty"));

        assertThat(FailureText.forQuarantine(new CompletionException(thrown)).type())
                .isEqualTo("java.lang.IllegalStateException");
        assertThat(FailureText.forQuarantine(thrown).type()).isEqualTo("java.lang.IllegalStateException");
        assertThat(FailureText.forQuarantine(new CompletionException("alone", null))
                        .type())
                .isEqualTo("java.util.concurrent.CompletionException");
    }
}

package io.idempotency.store;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The unique id that the producer gave a message, with the consumer that remembers it. Checked here, once.
 *
 * <p>Two ids are the same only if their strings are equal, character by character: {@code A-1} and {@code a-1} are two ids. An id is
 * compared and stored as it is, and printed with invisible characters escaped, see {@link Printable}. Ids are ordered by consumer, then by value,
 * so that hash maps stay fast even if a sender crafts ids with one hash code.
 *
 * @param consumer the logical name of the processing step, {@code [A-Za-z0-9._-]{1,100}}
 * @param value the id: not {@link #isBlank blank}, at most 4 KiB of UTF-8, without control characters, unpaired surrogates and the
 *     replacement character U+FFFD (two binary ids can decode to one string that holds it), and not the text of an array, which is another
 *     one at each delivery
 */
public record MessageId(String consumer, String value) implements Comparable<MessageId> {

    /** The most bytes of UTF-8 that a message id may have. */
    public static final int MAX_BYTES = 4096;

    private static final int MAX_CONSUMER = 100;
    /** Whether each ASCII character fits into the name of a consumer. */
    private static final boolean[] FITTING = new boolean[128];

    static {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
                .chars()
                .forEach(c -> FITTING[c] = true);
    }

    private static final Pattern ARRAY = Pattern.compile("\\[B@[0-9a-f]{1,8}(?![0-9a-z])");

    public MessageId {
        requireConsumer(consumer);
        requireValue(value);
    }

    /**
     * Returns the name if it can name a consumer.
     *
     * @throws IdempotencyException if it is not {@code [A-Za-z0-9._-]{1,100}}
     */
    public static String requireConsumer(String consumer) {
        boolean isFitting = !consumer.isEmpty() && consumer.length() <= MAX_CONSUMER;
        // Not a regular expression: this is done for every message. Measured by MessageIdsBenchmark.checks.
        for (int i = 0; isFitting && i < consumer.length(); i++) {
            char c = consumer.charAt(i);
            isFitting = c < FITTING.length && FITTING[c];
        }
        if (!isFitting) {
            throw new IdempotencyException(
                    "A consumer is named by 1 to 100 characters out of A-Z a-z 0-9 . _ -, not by \"" + start(consumer)
                            + "\"");
        }
        return consumer;
    }

    private static void requireValue(String value) {
        if (isBlank(value)) {
            throw new InvalidMessageIdException("The message id is blank");
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c >= ' ' && c <= '~') {
                continue;
            }
            if (Character.isISOControl(c)) {
                throw refused(value, "holds a control character at index " + i);
            }
            if (c == '\uFFFD') {
                throw refused(
                        value, "holds the replacement character U+FFFD at index " + i + ", so it was decoded wrongly");
            }
            if (Character.isHighSurrogate(c)
                    && i + 1 < value.length()
                    && Character.isLowSurrogate(value.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                throw refused(value, "holds an unpaired surrogate at index " + i);
            }
        }
        if (value.indexOf('[') >= 0 && ARRAY.matcher(value).find()) {
            throw refused(value, "is the text of an array, not what stands in it: read it as UTF-8");
        }
        if (value.length() > MAX_BYTES / 3 && value.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            throw refused(value, "is longer than " + MAX_BYTES + " bytes of UTF-8");
        }
    }

    /** Returns whether a text is invisible, such as white space and format characters alone, so that it holds no id. */
    public static boolean isBlank(String text) {
        char first = text.isEmpty() ? ' ' : text.charAt(0);
        if (first > ' ' && first <= '~') {
            return false;
        }
        return text.codePoints()
                .allMatch(point -> Character.isWhitespace(point)
                        || Character.isSpaceChar(point)
                        || Character.getType(point) == Character.FORMAT);
    }

    private static InvalidMessageIdException refused(String value, String why) {
        return new InvalidMessageIdException("The message id \"" + start(value) + "\" " + why);
    }

    private static String start(String value) {
        return Printable.of(value.length() > 40 ? value.substring(0, 40) + "…" : value);
    }

    @Override
    public int compareTo(MessageId other) {
        int byConsumer = consumer.compareTo(other.consumer);
        return byConsumer != 0 ? byConsumer : value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return consumer + "/" + Printable.of(value);
    }
}

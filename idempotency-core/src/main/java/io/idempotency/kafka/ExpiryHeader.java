package io.idempotency.kafka;

import io.idempotency.InvalidExpiryException;
import io.idempotency.MessageExpiry;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Printable;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * Reads from a header when a record expires. A record without the header never does. Of several headers with the name the last one counts. Its value is
 * text:
 *
 * <ul>
 *   <li>an ISO-8601 instant with {@code Z} or an offset: {@code 2026-03-01T12:00:00Z}, {@code 2026-03-01T13:00:00+01:00}
 *   <li>milliseconds since 1970 UTC: {@code 1772366400000}. A number that would be a date before 1973 or after 5138 is refused: it is one of seconds or
 *       microseconds
 *   <li>an ISO-8601 duration from the timestamp of the record on: {@code PT30S}. For a record of a retry topic of spring-kafka that is the timestamp of
 *       the original record
 * </ul>
 *
 * <p>Immutable.
 */
public final class ExpiryHeader implements MessageExpiry<ConsumerRecord<?, ?>> {

    private static final String ORIGINAL_TIMESTAMP = "kafka_original-timestamp";
    private static final long FIRST_MILLIS = 100_000_000_000L;
    private static final long LAST_MILLIS = 99_999_999_999_999L;
    private static final int MOST_SHOWN = 100;

    private final String name;

    private ExpiryHeader(String name) {
        this.name = name;
    }

    /** Returns the expiry in the header of this name. */
    public static ExpiryHeader named(String name) {
        if (MessageId.isBlank(name)) {
            throw new IdempotencyException("The header that holds the expiry of a message needs a name");
        }
        return new ExpiryHeader(name);
    }

    /**
     * {@inheritDoc}
     *
     * @throws InvalidExpiryException if the value is none of the three, or is a duration and the record has no timestamp; the text names topic,
     *     partition, offset, header and value
     */
    @Override
    public Optional<Instant> expiry(ConsumerRecord<?, ?> record) {
        Header header = header(record);
        if (header == null) {
            return Optional.empty();
        }
        String text = "";
        try {
            byte @Nullable [] value = header.value();
            text = value == null ? "" : HeaderIds.utf8(value, () -> "its value").trim();
            return Optional.of(read(text, record));
        } catch (IdSource.UnusableId | DateTimeException | ArithmeticException | NumberFormatException e) {
            String shown = text.length() > MOST_SHOWN ? text.substring(0, MOST_SHOWN) + "..." : text;
            throw new InvalidExpiryException(
                    "The record at " + KafkaRecords.position(record) + " has an expiry that cannot be read: header "
                            + name
                            + " is \"" + Printable.of(shown) + "\""
                            + (e instanceof IdSource.UnusableId ? " (" + e.getMessage() + ")" : "")
                            + ". Send an ISO-8601 instant with Z or an offset, milliseconds since 1970, or an ISO-8601 duration such as"
                            + " PT30S",
                    e);
        }
    }

    /** Returns the last header of the name. A name that differs only in case counts if no header has the exact name, as for ids. */
    private @Nullable Header header(ConsumerRecord<?, ?> record) {
        Header last = record.headers().lastHeader(name);
        if (last == null) {
            for (Header header : record.headers()) {
                last = header.key().equalsIgnoreCase(name) ? header : last;
            }
        }
        return last;
    }

    private static Instant read(String text, ConsumerRecord<?, ?> record) throws IdSource.UnusableId {
        if (!text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            long millis = Long.parseLong(text);
            if (millis < FIRST_MILLIS || millis > LAST_MILLIS) {
                throw new IdSource.UnusableId("as milliseconds that is no date between 1973 and 5138");
            }
            return Instant.ofEpochMilli(millis);
        }
        if (!text.startsWith("P") && !text.startsWith("p")) {
            return OffsetDateTime.parse(text).toInstant();
        }
        Duration duration = Duration.parse(text);
        long sent = sent(record);
        if (duration.isNegative()) {
            throw new IdSource.UnusableId("a duration must not be negative");
        }
        if (sent < 0) {
            throw new IdSource.UnusableId("a duration counts from the timestamp of the record, and it has none");
        }
        return Instant.ofEpochMilli(sent).plus(duration);
    }

    /** Returns when the record was sent first. */
    private static long sent(ConsumerRecord<?, ?> record) {
        Header original = record.headers().lastHeader(ORIGINAL_TIMESTAMP);
        byte @Nullable [] value = original == null ? null : original.value();
        return value != null && value.length == Long.BYTES
                ? ByteBuffer.wrap(value).getLong()
                : record.timestamp();
    }
}

package io.idempotency.jdbc;

import io.idempotency.store.IdKind;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Printable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads consumer, id and time from rows of a table that this library does not know. Not thread-safe. */
final class AdoptedRows {

    private static final int COLUMNS = 3;

    /** Milliseconds before this are seconds, most likely: 1973. */
    private static final long FEWEST_MILLIS = 100_000_000_000L;

    /** A clock or a zone may be ahead by so much. */
    private static final Duration AHEAD = Duration.ofDays(1);

    private final IdKind kind;
    private final boolean isPadded;
    private long row;

    AdoptedRows(ResultSetMetaData columns, IdKind kind) throws SQLException {
        if (columns.getColumnCount() != COLUMNS) {
            throw new IdempotencyException(
                    "The query of an adoption returns three columns: consumer, message id and time, in this order. This one has "
                            + columns.getColumnCount());
        }
        this.kind = kind;
        int type = columns.getColumnType(2);
        // The database fills up such a column with blanks, which the record does not have.
        this.isPadded = type == Types.CHAR || type == Types.NCHAR;
    }

    /**
     * Returns the row that the result stands at.
     *
     * @throws IdempotencyException if it has no usable consumer, id or time; the message says which row
     */
    AdoptedRow read(ResultSet result) throws SQLException {
        row++;
        String consumer = result.getString(1);
        String text = "";
        try {
            text = text(result.getObject(2));
            if (consumer == null) {
                throw new IdempotencyException("The consumer is null");
            }
            MessageId id = new MessageId(consumer, kind.idOf(text));
            return new AdoptedRow(id, micros(result.getObject(3)), text);
        } catch (IdempotencyException e) {
            throw new IdempotencyException(
                    "Row " + row + " of the query cannot be adopted (consumer " + shown(consumer) + ", id "
                            + shown(text) + "): " + e.getMessage() + ". Mend the row, or leave it out of the query",
                    e);
        }
    }

    private static String shown(@Nullable String text) {
        return text == null
                ? "null"
                : "\"" + Printable.of(text.length() > 100 ? text.substring(0, 100) + "…" : text) + "\"";
    }

    /** Returns the text of an id, by the rules for ids of records. */
    private String text(@Nullable Object id) {
        if (id == null) {
            throw new IdempotencyException("The message id is null");
        }
        if (id instanceof String text) {
            return isPadded ? text.stripTrailing() : text;
        }
        if (id instanceof UUID
                || id instanceof Long
                || id instanceof Integer
                || id instanceof Short
                || id instanceof BigInteger) {
            return id.toString();
        }
        if (id instanceof BigDecimal number && number.scale() <= 0) {
            return number.toBigInteger().toString();
        }
        if (id instanceof byte[] bytes) {
            return utf8(bytes);
        }
        throw new IdempotencyException(
                "The message id is a " + id.getClass().getTypeName()
                        + ", not text, a UUID, a whole number, or bytes of UTF-8. Let the query convert it to the text in the record");
    }

    private static String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException malformed) {
            throw new IdempotencyException(
                    "The message id is " + bytes.length
                            + " bytes that are not UTF-8. Let the query convert them to the text in the record",
                    malformed);
        }
    }

    private static long micros(@Nullable Object time) {
        if (time == null) {
            return AdoptedRow.UNKNOWN;
        }
        Instant at = instant(time);
        if (at.isBefore(Instant.ofEpochMilli(FEWEST_MILLIS))) {
            throw new IdempotencyException("The time is " + at
                    + ". A number counts milliseconds since 1970; let the query convert another unit");
        }
        if (at.isAfter(Instant.now().plus(AHEAD))) {
            throw new IdempotencyException("The time is " + at + ", in the future");
        }
        return StoredTime.micros(at);
    }

    private static Instant instant(Object time) {
        if (time instanceof OffsetDateTime zoned) {
            return zoned.toInstant();
        }
        if (time instanceof Timestamp timestamp) {
            return timestamp.toInstant();
        }
        if (time instanceof LocalDateTime local) {
            return local.atZone(ZoneId.systemDefault()).toInstant();
        }
        if (time instanceof Long || time instanceof BigInteger || time instanceof BigDecimal) {
            return Instant.ofEpochMilli(((Number) time).longValue());
        }
        throw new IdempotencyException("The time is a " + time.getClass().getTypeName()
                + ", not a timestamp, or milliseconds since 1970 as a number of 64 bits");
    }
}

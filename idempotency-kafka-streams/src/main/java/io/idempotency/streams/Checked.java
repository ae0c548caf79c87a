package io.idempotency.streams;

import io.idempotency.Duplicate;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The value of a record, and whether the record is a copy.
 *
 * @param value the value as it came; a tombstone has none
 * @param duplicate how the copy arose; empty for the first record of an id
 */
public record Checked<V>(@Nullable V value, Optional<Duplicate> duplicate) {

    /** Returns whether a record with this id was forwarded before. */
    public boolean isCopy() {
        return duplicate.isPresent();
    }
}

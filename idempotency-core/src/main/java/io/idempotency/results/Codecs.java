package io.idempotency.results;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.StoredResult;

/** Writes and reads results, and names the one that fails. */
final class Codecs {

    private Codecs() {}

    /** @throws IdempotencyException naming the result that cannot be written */
    static byte[] write(ResultCodec codec, MessageId id, String name, Object value) {
        try {
            return codec.toBytes(value);
        } catch (Exception e) {
            throw failure(
                    e,
                    "The result " + name + " of " + id + ", a "
                            + value.getClass().getName() + ", cannot be written, so it is not recorded");
        }
    }

    /** @throws IdempotencyException naming the result that cannot be read */
    static <T> T read(ResultCodec codec, MessageId id, StoredResult stored, Class<T> type) {
        try {
            return codec.fromBytes(stored.content(), type);
        } catch (Exception e) {
            throw failure(
                    e,
                    "The stored result " + stored + " of " + id + " cannot be read as " + type.getName()
                            + ". Use a type that the codec reads as it writes it, such as a record, and one that reads what earlier versions of the program have written");
        }
    }

    private static IdempotencyException failure(Exception cause, String what) {
        if (cause instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        return new IdempotencyException(what, cause);
    }
}

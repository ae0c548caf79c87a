package io.idempotency;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import java.util.Optional;

/**
 * Reads the keys of messages whose order is kept. A message whose key cannot be read stops its partition: it is never handled without an order.
 * Thread-safe.
 *
 * @param isOfReader whether keys are those of the reader, which have the hash of their bytes
 */
record KeyReading<M>(KeyExtractor<? super M> keys, boolean isOfReader) {

    void read(Item<M> item) {
        try {
            if (!item.lane().isOrdered()) {
                throw new IdempotencyException(
                        "Without a position there is no order. Set a reader(..) that returns positions");
            }
            item.keyHash(hash(keys.key(item.message())));
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            item.unreadable(new UnknownKeyException(item.delivery().position(), thrown));
        }
    }

    /** Reads the key of a message that cannot become an {@code M}. */
    void readRejected(Item<Payload> item) {
        Payload payload = item.message();
        byte[] key = payload.key();
        if (!isOfReader || (key == null && payload.origin() == Payload.Origin.POSITION_ONLY)) {
            item.unreadable(new UnknownKeyException(
                    item.delivery().position(),
                    new IdempotencyException("It cannot be deserialized, so "
                            + (isOfReader ? "its key is unknown" : "keyOrder(..) cannot be asked for its key")
                            + ". Use deserializers that return bytes or keep them, or mend the topic")));
        } else {
            item.keyHash(hash(Optional.ofNullable(key)));
        }
    }

    private static long hash(Optional<?> key) {
        return key.map(KeyHash::of).orElse(KeyHash.NONE);
    }
}

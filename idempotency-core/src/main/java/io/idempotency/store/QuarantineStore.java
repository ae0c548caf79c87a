package io.idempotency.store;

import java.util.List;
import java.util.Optional;

/**
 * Keeps quarantined messages until they are replayed or deleted. Each method joins the active transaction, or uses its own. {@code toString} names
 * the place of the messages for the log. Thread-safe.
 */
public interface QuarantineStore {

    /** Keeps a message; one that is kept already is replaced. */
    void save(QuarantinedMessage message);

    /** Returns the kept message with its bytes. */
    Optional<QuarantinedMessage> find(MessageId id);

    /** Lists the ids of up to {@code limit} kept messages of a consumer, the oldest first. */
    List<MessageId> list(String consumer, int limit);

    /** Deletes a kept message. Returns whether it was kept. */
    boolean delete(MessageId id);
}

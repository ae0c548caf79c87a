package io.idempotency.kafka;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** One place of a record where a message id may stand. Thread-safe. */
@FunctionalInterface
interface IdSource<V> {

    /**
     * Returns the id, told apart from the ids of every other kind of source; empty if there is none, and then adds to
     * {@code looked} what is missing.
     *
     * @throws UnusableId if something stands there that cannot be an id
     */
    Optional<String> find(ConsumerRecord<?, ? extends V> record, List<String> looked) throws UnusableId;

    /** What stands in the place looked at is no id; the message says which place, and why. */
    final class UnusableId extends Exception {

        private static final long serialVersionUID = 1L;

        private final boolean isUnread;

        UnusableId(String message, Throwable cause) {
            this(message, cause, false);
        }

        UnusableId(String message) {
            super(message);
            this.isUnread = false;
        }

        private UnusableId(String message, Throwable cause, boolean isUnread) {
            super(message, cause);
            this.isUnread = isUnread;
        }

        /** Returns one for what the user's own function threw. */
        static UnusableId unread(String message, Throwable cause) {
            return new UnusableId(message, cause, true);
        }

        /** Returns whether nothing was read at all, because the user's own function failed. */
        boolean isUnread() {
            return isUnread;
        }
    }
}

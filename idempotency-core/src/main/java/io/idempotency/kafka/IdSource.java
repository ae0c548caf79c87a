package io.idempotency.kafka;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A place of a record that may hold its message id. Thread-safe. */
@FunctionalInterface
interface IdSource<V> {

    /**
     * Returns the id, which differs from the ids of every other kind of source. If there is none, returns empty and adds to {@code looked} what is
     * missing.
     *
     * @throws UnusableId if the place holds something that cannot be an id
     */
    Optional<String> find(ConsumerRecord<?, ? extends V> record, List<String> looked) throws UnusableId;

    /** A place holds something that is no id; the text names the place and the reason. */
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

        /** Returns the exception for a failure of the user's own function. */
        static UnusableId unread(String message, Throwable cause) {
            return new UnusableId(message, cause, true);
        }

        /** Returns whether nothing was read at all, because the user's own function failed. */
        boolean isUnread() {
            return isUnread;
        }
    }
}

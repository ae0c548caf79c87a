package io.idempotency;

import io.idempotency.store.Delivery;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One call of a handler that a {@linkplain IdempotentConsumerBuilder#shadow() shadow consumer} watches. The caller of the handler tells it which messages
 * were handled. Nothing here waits for the store or throws. Thread-safe: the end of an asynchronous handler may come on any thread.
 */
public final class WatchedCall {

    private final Shadow<?> shadow;
    private final List<Before> messages;
    private long since;
    private int handled;

    /** What is known of a message before its handler is called. */
    record Before(Item<?> item, @Nullable Object scope, Optional<Throwable> refusal) {}

    WatchedCall(Shadow<?> shadow, List<Before> messages) {
        this.shadow = shadow;
        this.messages = messages;
        this.since = shadow.nanos();
    }

    /** Returns the deliveries of the messages, in order. */
    List<Delivery> deliveries() {
        return messages.stream().map(before -> before.item().delivery()).toList();
    }

    /**
     * Notes that the first so many messages of the call are handled: their effects are there, and they will not be delivered again for want of an
     * acknowledgment. Those noted before are not noted again. Inside a transaction on the store's data the note takes effect with its commit.
     */
    public synchronized void handled(int count) {
        long now = shadow.nanos();
        if (handled < Math.min(count, messages.size())) {
            shadow.note(messages.subList(handled, Math.min(count, messages.size())), Watched.Kind.HANDLED, since, now);
        }
        handled = Math.max(handled, count);
        since = now;
    }

    /** Notes that the handler failed for the message at this index. It is not remembered, only looked up: a real run may have skipped it. */
    public synchronized void failed(int index) {
        if (index >= handled && index < messages.size()) {
            shadow.note(messages.subList(index, index + 1), Watched.Kind.FAILED, since, shadow.nanos());
        }
    }
}

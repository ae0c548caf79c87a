package io.idempotency;

import io.idempotency.store.Delivery;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps messages of different scopes apart, and enters their scope around the work on them. Thread-safe. */
final class Scopes<M> {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final Optional<MessageScope<? super M>> scope;

    Scopes(Settings<M> settings) {
        this.scope = settings.messages().scope();
    }

    /** Returns the first messages that share one scope. A message whose scope cannot be determined comes alone. */
    List<Item<M>> together(List<Item<M>> chunk) {
        if (scope.isEmpty()) {
            return chunk;
        }
        int end = 1;
        try {
            Object first = scope.get().of(chunk.get(0).message());
            while (end < chunk.size()
                    && first.equals(scope.get().of(chunk.get(end).message()))) {
                end++;
            }
        } catch (Throwable thrown) {
            // Reported when it is the first of its chunk.
            Causes.letFatalLeave(thrown);
        }
        return chunk.subList(0, end);
    }

    /** Returns the scope of a message; null if messages have none. Exceptions of the user's code leave. */
    @Nullable
    Object of(M message) {
        return scope.isEmpty() ? null : scope.get().of(message);
    }

    /**
     * Runs the work in the scope of the message.
     *
     * @param otherwise receives the failure if the scope could not be entered; the work has not run then
     */
    void within(Item<M> item, Runnable work, Consumer<Throwable> otherwise) {
        within(() -> of(item.message()), item.delivery(), work, otherwise);
    }

    /** Runs the work in a scope, as above, for a message that is gone. */
    void within(Supplier<@Nullable Object> known, Delivery delivery, Runnable work, Consumer<Throwable> otherwise) {
        if (scope.isEmpty()) {
            work.run();
            return;
        }
        MessageScope.Entered entered;
        try {
            entered = scope.get().enter(Objects.requireNonNull(known.get()));
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            otherwise.accept(thrown);
            return;
        }
        try {
            work.run();
        } finally {
            leave(delivery, entered);
        }
    }

    /** Leaves a scope. The work is done by then, so a failure to leave is not one of the message. */
    private static void leave(Delivery delivery, MessageScope.Entered entered) {
        try {
            entered.close();
        } catch (RuntimeException e) {
            log.error(
                    "The scope of {} could not be left; later work on this thread may run inside it.",
                    delivery,
                    FailureText.loggable(e));
        }
    }
}

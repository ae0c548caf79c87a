package io.idempotency;

import io.idempotency.store.Claim;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The user's handler, for records or for batches, as the levels call it. */
sealed interface Handling<M> {

    Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** Returns the user's handler. */
    Object handler();

    /** Returns whether the messages are handled in one call, so that a failure does not tell which of them failed. */
    boolean isBatch();

    /**
     * Handles the messages in order.
     *
     * @throws HandlerFailure if the handler threw anything but an error of the virtual machine
     * @throws OutOfTime before a record, not the first, when the time is over
     */
    void handle(Poll<M> poll, List<Item<M>> items, List<Claim> claims);

    /** Handles the messages as without the library, and tells the call which of them are handled. Exceptions of the handler leave. */
    void watched(List<M> messages, List<Claim> claims, WatchedCall call) throws Exception;

    /** Calls the handler for each record. */
    record Each<M>(MessageHandler<? super M> handler) implements Handling<M> {

        @Override
        public boolean isBatch() {
            return false;
        }

        @Override
        public void handle(Poll<M> poll, List<Item<M>> items, List<Claim> claims) {
            HandledMessages handled = HandledMessages.begin(items, claims);
            try {
                long start = poll.now();
                long before = start;
                for (int i = 0; i < items.size(); i++) {
                    if (i > 0 && before - start > poll.timeNanos()) {
                        throw new OutOfTime(i);
                    }
                    Item<M> item = items.get(i);
                    handled.only(i);
                    try {
                        handler.handle(item.message(), claims.get(i));
                    } catch (Throwable thrown) {
                        throw failure(poll, i, thrown);
                    } finally {
                        long after = poll.now();
                        took(poll, List.of(item), after - before);
                        before = after;
                    }
                }
            } finally {
                handled.end();
            }
        }

        @Override
        public void watched(List<M> messages, List<Claim> claims, WatchedCall call) throws Exception {
            for (int i = 0; i < messages.size(); i++) {
                boolean isHandled = false;
                try {
                    handler.handle(messages.get(i), claims.get(i));
                    isHandled = true;
                } finally {
                    if (isHandled) {
                        call.handled(i + 1);
                    } else {
                        call.failed(i);
                    }
                }
            }
        }
    }

    /** Calls the handler once. */
    record Together<M>(BatchHandler<M> handler) implements Handling<M> {

        @Override
        public boolean isBatch() {
            return true;
        }

        @Override
        public void handle(Poll<M> poll, List<Item<M>> items, List<Claim> claims) {
            HandledMessages handled = HandledMessages.begin(items, claims);
            long before = poll.now();
            try {
                handler.handle(messages(items), claims);
            } catch (BatchFailedException thrown) {
                throw failure(poll, at(thrown, items.size()), thrown.getCause());
            } catch (Throwable thrown) {
                throw failure(poll, items.size() == 1 ? 0 : HandlerFailure.SOMEWHERE, thrown);
            } finally {
                took(poll, items, poll.now() - before);
                handled.end();
            }
        }

        @Override
        public void watched(List<M> messages, List<Claim> claims, WatchedCall call) throws Exception {
            boolean isHandled = false;
            try {
                handler.handle(messages, claims);
                isHandled = true;
            } finally {
                if (isHandled) {
                    call.handled(messages.size());
                } else if (messages.size() == 1) {
                    call.failed(0);
                }
            }
        }
    }

    private static <M> List<M> messages(List<Item<M>> items) {
        List<M> messages = new ArrayList<>(items.size());
        for (Item<M> item : items) {
            messages.add(item.message());
        }
        return Collections.unmodifiableList(messages);
    }

    private static int at(BatchFailedException thrown, int size) {
        return thrown.index() >= 0 && thrown.index() < size ? thrown.index() : HandlerFailure.SOMEWHERE;
    }

    private static <M> void took(Poll<M> poll, List<Item<M>> items, long nanos) {
        items.forEach(item -> item.handlerNanos(nanos));
        if (nanos > poll.timeNanos()) {
            log.warn(
                    "The handler took {} ms for {}, longer than the {} ms that a whole chunk may take.",
                    nanos / 1_000_000,
                    Item.named(items),
                    poll.timeNanos() / 1_000_000);
        }
    }

    private static HandlerFailure failure(Poll<?> poll, int at, Throwable thrown) {
        Causes.letFatalLeave(thrown);
        poll.noteInterruption(thrown);
        return new HandlerFailure(at, thrown);
    }
}

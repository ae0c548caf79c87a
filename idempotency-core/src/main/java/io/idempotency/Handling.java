package io.idempotency;

import io.idempotency.store.Claim;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The user's handler, for records or for batches, as the levels call it. */
sealed interface Handling<M> {

    /** Returns whether the messages are handled in one call, so that a failure does not tell which of them failed. */
    boolean isBatch();

    /**
     * Handles the messages in order.
     *
     * @throws HandlerFailure if the handler threw anything but an error of the virtual machine
     * @throws OutOfTime before a record, not the first, when the time is over
     */
    void handle(List<Item<M>> items, List<Claim> claims, Duration time);

    /** Calls the handler for each record. */
    record Each<M>(MessageHandler<? super M> handler) implements Handling<M> {

        private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

        @Override
        public boolean isBatch() {
            return false;
        }

        @Override
        public void handle(List<Item<M>> items, List<Claim> claims, Duration time) {
            long start = System.nanoTime();
            for (int i = 0; i < items.size(); i++) {
                long before = System.nanoTime();
                if (i > 0 && before - start > time.toNanos()) {
                    throw new OutOfTime(i);
                }
                Item<M> item = items.get(i);
                try {
                    handler.handle(item.message(), claims.get(i));
                } catch (Throwable thrown) {
                    throw failure(i, thrown);
                } finally {
                    item.handlerNanos(System.nanoTime() - before);
                    if (item.handlerNanos() > time.toNanos()) {
                        log.warn(
                                "The handler took {} ms for {}, longer than the {} ms that a whole chunk may take.",
                                item.handlerNanos() / 1_000_000,
                                item.delivery(),
                                time.toMillis());
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
        public void handle(List<Item<M>> items, List<Claim> claims, Duration time) {
            long before = System.nanoTime();
            try {
                handler.handle(items.stream().map(Item::message).toList(), claims);
            } catch (Throwable thrown) {
                throw failure(items.size() == 1 ? 0 : HandlerFailure.SOMEWHERE, thrown);
            } finally {
                long took = System.nanoTime() - before;
                items.forEach(item -> item.handlerNanos(took));
            }
        }
    }

    private static HandlerFailure failure(int at, Throwable thrown) {
        if (thrown instanceof VirtualMachineError error && !(thrown instanceof StackOverflowError)) {
            throw error;
        }
        return new HandlerFailure(at, thrown);
    }
}

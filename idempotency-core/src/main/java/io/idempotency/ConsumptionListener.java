package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.Position;

/**
 * Receives every consumption, on the consuming thread; that of a {@linkplain IdempotentConsumerBuilder#shadow() shadow consumer} on the thread that takes
 * it to the store. Its exceptions are logged and change nothing; only errors of the virtual machine leave.
 */
@FunctionalInterface
public interface ConsumptionListener {

    /**
     * Receives a consumer that was built, before it consumes anything. A consumer with the same name and settings may be built more than once.
     *
     * @param store where it remembers messages
     */
    default void onBuilt(String consumer, ConsistencyLevel level, boolean isShadow, ClaimStore store) {}

    /** Receives a consumption whose outcome is final. */
    void onConsumption(Consumption consumption);

    /** Receives a partition that was revoked or lost: another consumer owns it from now on. */
    default void onRevoked(String consumer, String stream, int partition) {}

    /**
     * Receives a message whose handler, or that of a message consumed together with it, ended the transaction of the claim itself. Nothing is lost
     * or doubled as long as the process lives. If it dies between that commit and its own, the effects that the handler committed happen again.
     */
    default void onEarlyCommit(Delivery first) {}

    /**
     * Receives a message under {@link ConsistencyLevel#AT_LEAST_ONCE} whose lease another attempt has taken before it was completed or given back: this process
     * was paused, or cut off from the store, for longer than the lease. Its handler may run twice. Called on the consuming thread or on the one that renews
     * leases: do not wait.
     */
    default void onLeaseLost(Delivery delivery) {}

    /**
     * Receives a message that a replay has handled again, on the thread of the {@link Replayer}. Replays are reported here only, never to {@link
     * #onConsumption}.
     */
    default void onReplay(Replayed replayed) {}

    /**
     * Receives a delivery that a shadow consumer could not watch, because its store does not keep up. Its handler has run. Called on the consuming
     * thread, so that a store that hangs does not hide it: do not wait.
     */
    default void onUnwatched(Delivery delivery) {}

    /** Receives the result of a comparison of a message that was sent again with the one at the first position, if the consumer has a {@link ResendCheck}. */
    default void onResendChecked(Delivery delivery, Position first, ResendCheck.Result result) {}

    /** Returns a listener that calls both, this one first, and the next one even if this one fails. */
    default ConsumptionListener andThen(ConsumptionListener next) {
        ConsumptionListener before = this;
        return new ConsumptionListener() {
            @Override
            public void onBuilt(String consumer, ConsistencyLevel level, boolean isShadow, ClaimStore store) {
                try {
                    before.onBuilt(consumer, level, isShadow, store);
                } finally {
                    next.onBuilt(consumer, level, isShadow, store);
                }
            }

            @Override
            public void onConsumption(Consumption consumption) {
                try {
                    before.onConsumption(consumption);
                } finally {
                    next.onConsumption(consumption);
                }
            }

            @Override
            public void onRevoked(String consumer, String stream, int partition) {
                try {
                    before.onRevoked(consumer, stream, partition);
                } finally {
                    next.onRevoked(consumer, stream, partition);
                }
            }

            @Override
            public void onEarlyCommit(Delivery first) {
                try {
                    before.onEarlyCommit(first);
                } finally {
                    next.onEarlyCommit(first);
                }
            }

            @Override
            public void onLeaseLost(Delivery delivery) {
                try {
                    before.onLeaseLost(delivery);
                } finally {
                    next.onLeaseLost(delivery);
                }
            }

            @Override
            public void onReplay(Replayed replayed) {
                try {
                    before.onReplay(replayed);
                } finally {
                    next.onReplay(replayed);
                }
            }

            @Override
            public void onUnwatched(Delivery delivery) {
                try {
                    before.onUnwatched(delivery);
                } finally {
                    next.onUnwatched(delivery);
                }
            }

            @Override
            public void onResendChecked(Delivery delivery, Position first, ResendCheck.Result result) {
                try {
                    before.onResendChecked(delivery, first, result);
                } finally {
                    next.onResendChecked(delivery, first, result);
                }
            }
        };
    }
}

package io.idempotency;

import io.idempotency.store.IdempotencyException;
import java.util.ArrayList;
import java.util.List;

/** The store refused messages for good, or cannot be used at all; nothing was recorded. */
final class StoreFailure extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    private final transient List<Item<?>> stopped = new ArrayList<>();

    private StoreFailure(String message, Throwable cause) {
        super(message, cause);
    }

    /** Returns the messages whose partitions are stopped already, because their handlers have run. */
    List<Item<?>> stopped() {
        return stopped;
    }

    /** Wraps an exception of the store, and names the messages that it concerns. */
    static StoreFailure of(List<? extends Item<?>> items, Throwable failure) {
        String what = failure instanceof IdempotencyException ? "The store refuses " : "The store cannot be used for ";
        return new StoreFailure(
                what + Item.named(items) + "; nothing was recorded. " + FailureText.message(failure), failure);
    }
}

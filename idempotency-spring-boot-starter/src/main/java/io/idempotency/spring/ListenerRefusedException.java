package io.idempotency.spring;

import io.idempotency.store.IdempotencyException;

/** A listener or setting that would silently weaken what {@link Idempotent} promises; thrown at start-up. */
public final class ListenerRefusedException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    private final String what;
    private final String action;

    ListenerRefusedException(String what, String action) {
        super(what + ". " + action);
        this.what = what;
        this.action = action;
    }

    /** Returns what is wrong, and why. */
    public String what() {
        return what;
    }

    /** Returns what to change. */
    public String action() {
        return action;
    }
}

package io.idempotency.spring;

import io.idempotency.store.IdempotencyException;

/**
 * Thrown at start-up if a listener or a setting would silently weaken the guarantee of {@link Idempotent}. Spring Boot shows it as a description and
 * an action.
 */
public final class ListenerRefusedException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    private final String what;
    private final String action;

    ListenerRefusedException(String what, String action) {
        super(what + ". " + action);
        this.what = what;
        this.action = action;
    }

    /** Returns the problem and its reason. */
    public String what() {
        return what;
    }

    /** Returns the change that solves the problem. */
    public String action() {
        return action;
    }
}

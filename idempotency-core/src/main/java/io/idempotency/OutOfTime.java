package io.idempotency;

/** A chunk took longer than it may; carries how many messages were handled. Never leaves this package. */
final class OutOfTime extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int handled;

    OutOfTime(int handled) {
        super("The chunk took too long after " + handled + " messages", null, false, false);
        this.handled = handled;
    }

    int handled() {
        return handled;
    }
}

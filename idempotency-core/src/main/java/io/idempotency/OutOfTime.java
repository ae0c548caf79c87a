package io.idempotency;

/** Ends a chunk that took too long, with the number of handled messages. Never leaves this package. */
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

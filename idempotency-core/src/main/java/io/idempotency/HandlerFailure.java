package io.idempotency;

/** Carries what a handler threw out of a transaction, so that it is rolled back; never leaves this package. */
final class HandlerFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** The index of a failure that cannot be told from the others. */
    static final int SOMEWHERE = -1;

    private final int at;
    private final transient Throwable thrown;

    HandlerFailure(int at, Throwable thrown) {
        super("A handler failed", thrown, false, false);
        this.at = at;
        this.thrown = thrown;
    }

    /** Returns the index of the message whose handler failed, or {@link #SOMEWHERE}. */
    int at() {
        return at;
    }

    Throwable thrown() {
        return thrown;
    }
}

package io.idempotency;

/** Carries the exception of a handler out of a transaction, so that it is rolled back. Never leaves this package. */
final class HandlerFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** The index of a failure if it is not known which message failed. */
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

package io.idempotency;

import java.util.Objects;

/**
 * Thrown by a {@link BatchHandler} that knows which message failed and has handled all before it, so that the batch need not be bisected.
 * The message is charged, and handled again, alone, when the failure policy says so. Under {@link ConsistencyLevel#STRONG} all is rolled back:
 * the messages before it are handled without it with the next delivery, and it is charged then; otherwise they are done.
 */
public final class BatchFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final int index;

    /**
     * Tells which message failed, and why.
     *
     * @param index where it stands in the list that the handler was given
     */
    public BatchFailedException(int index, Throwable cause) {
        super("Message " + index + " of the batch failed: " + cause.getMessage(), cause);
        this.index = index;
    }

    /** Returns where the message stands in the list that the handler was given. */
    public int index() {
        return index;
    }

    /** Returns why it failed. */
    @Override
    public synchronized Throwable getCause() {
        return Objects.requireNonNull(super.getCause());
    }
}

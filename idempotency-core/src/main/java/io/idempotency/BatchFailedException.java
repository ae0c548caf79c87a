package io.idempotency;

import java.util.Objects;

/**
 * Names the message of a batch that failed, so that the batch need not be bisected. A {@link BatchHandler} throws it if it has handled all
 * messages before that one.
 *
 * <p>The message is charged, and handled again alone if the failure policy says so. Under {@link ConsistencyLevel#STRONG} everything is
 * rolled back: the next delivery handles the messages before it and charges it then. Under the other levels the messages before it are
 * settled.
 */
public final class BatchFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final int index;

    /**
     * Creates an exception for a message and its failure.
     *
     * @param index the index of the message in the list that the handler was given
     */
    public BatchFailedException(int index, Throwable cause) {
        super("Message " + index + " of the batch failed: " + cause.getMessage(), cause);
        this.index = index;
    }

    /** Returns the index of the message in the list that the handler was given. */
    public int index() {
        return index;
    }

    /** Returns the failure of the message. */
    @Override
    public synchronized Throwable getCause() {
        return Objects.requireNonNull(super.getCause());
    }
}

package io.idempotency.replay;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.QuarantineSelection;
import java.util.UUID;

/**
 * Asks for a replay of quarantined messages. Immutable.
 *
 * @param id the name of the replay, at most 64 characters; a second request with the same id and selection changes nothing
 * @param selection the messages; chosen at the moment of the request
 * @param perSecond the most messages a second, over all nodes and partitions
 * @param stopAfter so many equal failures in a row stop the replay
 * @param mayRepeat whether messages of an {@code AT_MOST_ONCE} consumer are handled again although their effect may have happened
 * @param actor who asks
 * @param reason why
 */
public record ReplayRequest(
        String id,
        QuarantineSelection selection,
        int perSecond,
        int stopAfter,
        boolean mayRepeat,
        String actor,
        String reason) {

    /** So many messages a second unless set otherwise. */
    public static final int DEFAULT_PER_SECOND = 10;

    /** So many equal failures in a row stop a replay unless set otherwise. */
    public static final int DEFAULT_STOP_AFTER = 5;

    private static final int MOST_CHARS_OF_ID = 64;

    /**
     * Checks the request.
     *
     * @throws IdempotencyException if the id is empty or too long, or a number is not positive
     */
    public ReplayRequest {
        if (id.isBlank() || id.length() > MOST_CHARS_OF_ID) {
            throw new IdempotencyException("The id of a replay has 1 to 64 characters, not " + id.length());
        }
        if (perSecond < 1 || stopAfter < 1) {
            throw new IdempotencyException(
                    "Rate and number of failures of a replay must be positive, not " + perSecond + " and " + stopAfter);
        }
    }

    /** Returns a request with the defaults, a new id, and no name of who asks. */
    public static ReplayRequest of(QuarantineSelection selection) {
        return new ReplayRequest(
                UUID.randomUUID().toString(), selection, DEFAULT_PER_SECOND, DEFAULT_STOP_AFTER, false, "unknown", "");
    }

    /** Returns the request with another id. */
    public ReplayRequest id(String name) {
        return new ReplayRequest(name, selection, perSecond, stopAfter, mayRepeat, actor, reason);
    }

    /** Returns the request with another rate. */
    public ReplayRequest perSecond(int messages) {
        return new ReplayRequest(id, selection, messages, stopAfter, mayRepeat, actor, reason);
    }

    /** Returns the request with another number of equal failures. */
    public ReplayRequest stopAfter(int failures) {
        return new ReplayRequest(id, selection, perSecond, failures, mayRepeat, actor, reason);
    }

    /** Returns the request, which accepts that effects of an {@code AT_MOST_ONCE} consumer may repeat. */
    public ReplayRequest acceptRepeatedEffects() {
        return new ReplayRequest(id, selection, perSecond, stopAfter, true, actor, reason);
    }

    /** Returns the request with who asks and why. */
    public ReplayRequest by(String who, String why) {
        return new ReplayRequest(id, selection, perSecond, stopAfter, mayRepeat, who, why);
    }
}

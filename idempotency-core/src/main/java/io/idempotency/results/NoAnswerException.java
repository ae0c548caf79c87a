package io.idempotency.results;

import io.idempotency.Outcome;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;

/** A request is settled, and there is no answer to it. */
public final class NoAnswerException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    private final Outcome outcome;

    NoAnswerException(MessageId id, Outcome outcome) {
        super("There is no answer to " + id + ": "
                + switch (outcome) {
                    case QUARANTINED -> "it failed and is in quarantine. Replay it, and ask again";
                    case EXPIRED -> "it had expired before it was handled";
                    default ->
                        "it was processed, and its answer is purged, or it was handled without answers."
                                + " To have it handled once more, forget the message";
                });
        this.outcome = outcome;
    }

    /** Returns what became of the request: {@code DUPLICATE}, {@code QUARANTINED} or {@code EXPIRED}. */
    public Outcome outcome() {
        return outcome;
    }
}

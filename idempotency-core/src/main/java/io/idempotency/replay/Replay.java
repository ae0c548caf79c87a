package io.idempotency.replay;

import io.idempotency.store.ConflictException;
import io.idempotency.store.Printable;
import java.time.Instant;
import java.util.Optional;

/**
 * A replay and its progress.
 *
 * @param request what was asked for; its selection names the consumer, and nothing more
 * @param selection the messages asked for, in words
 * @param status whether it goes on
 * @param progress how far it is
 * @param requestedAt when it was asked for, by the store's clock
 * @param endedAt when it was done or stopped
 * @param stoppedBy why it stopped, or why it is done although messages are left
 */
public record Replay(
        ReplayRequest request,
        String selection,
        Status status,
        Progress progress,
        Instant requestedAt,
        Optional<Instant> endedAt,
        Optional<String> stoppedBy) {

    /**
     * Returns this replay, if a request with its id asks for the same messages.
     *
     * @throws ConflictException if it asks for others
     */
    public Replay askedAgain(ReplayRequest again) {
        if (!selection.equals(again.selection().toString())) {
            throw new ConflictException("There is a replay " + Printable.of(again.id()) + " already, of "
                    + chosen() + ", and not of "
                    + again.selection() + ". Choose another id");
        }
        return this;
    }

    private String chosen() {
        return selection.isEmpty() ? "messages that a statement chose" : Printable.of(selection);
    }

    /** Returns what is replayed, and how far it is, for logs. */
    @Override
    public String toString() {
        return "Replay " + Printable.of(request.id()) + " of " + chosen() + ": " + status + ", " + progress.left()
                + " of "
                + progress.total() + " left"
                + stoppedBy.map(why -> ", " + Printable.of(why)).orElse("");
    }

    /** Whether a replay goes on. */
    public enum Status {
        /** Nodes work on it. */
        RUNNING,
        /** Nodes leave it alone until it is resumed; its messages belong to it. */
        PAUSED,
        /** It has ended early; the messages that are left belong to no replay. */
        STOPPED,
        /** It has ended. */
        DONE;

        /** Returns whether nodes never work on it again. */
        public boolean hasEnded() {
            return this == STOPPED || this == DONE;
        }
    }

    /**
     * Counts of messages.
     *
     * @param total the messages at the request
     * @param processed handled, with a committed effect
     * @param duplicates processed already
     * @param failed failed again
     * @param unreadable without bytes, or with bytes that make no record
     */
    public record Progress(long total, long processed, long duplicates, long failed, long unreadable) {

        /** Returns why a replay is done although messages are left; empty if none is. */
        public Optional<String> whyLeft() {
            return left() == 0
                    ? Optional.empty()
                    : Optional.of(left() + " of " + total
                            + " messages left it without a result: they wait behind an earlier message of their key, or somebody else"
                            + " handled, saved or dropped them, or chose them for another replay");
        }

        /** Returns how many messages are still to come. */
        public long left() {
            return Math.max(0, total - processed - duplicates - failed - unreadable);
        }
    }
}

package io.idempotency;

import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.UnreadableBytesException;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.TransactionRunner;
import java.util.List;
import java.util.Optional;

/** Keeps quarantine and replay in step: what a message's entry becomes, and the count of it, are one transaction. Thread-safe. */
final class ReplayBooks {

    /** The entry is gone or has another generation: somebody else has settled or saved the message. Rolls back. */
    static final class Gone extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private Gone() {
            super("The message is not in quarantine any more, or was saved anew", null, false, false);
        }
    }

    private final ConsistencyLevel level;
    private final ClaimStore store;
    private final TransactionRunner transactions;
    private final QuarantineStore quarantine;
    private final ReplayStore replays;

    ReplayBooks(Settings<?> live, QuarantineStore quarantine, ReplayStore replays) {
        this.level = live.level();
        this.store = live.storage().store();
        this.transactions = live.storage().transactions();
        this.quarantine = quarantine;
        this.replays = replays;
    }

    QuarantineStore quarantine() {
        return quarantine;
    }

    void inTransaction(Runnable work) {
        transactions.inTransaction(work);
    }

    /**
     * Locks the entry of the message until the active transaction ends.
     *
     * @throws Gone if it is not the one that was listed
     */
    void take(ReplayAttempt attempt) {
        if (!isTaken(attempt)) {
            attempt.gone();
            throw new Gone();
        }
    }

    private boolean isTaken(ReplayAttempt attempt) {
        return quarantine
                .take(attempt.kept().id(), attempt.entry().generation())
                .isPresent();
    }

    /** Deletes the entry of a message that is settled, within the active transaction. */
    void settle(ReplayAttempt attempt, ReplayResult result) {
        quarantine.delete(attempt.kept().id());
        count(attempt, result, Optional.empty());
    }

    /** A message that follows by itself belongs to no replay. */
    private void count(ReplayAttempt attempt, ReplayResult result, Optional<QuarantineFailure> failure) {
        if (!attempt.replay().equals(ReplayFollowers.REPLAY)) {
            replays.count(attempt.replay(), result, failure);
        }
    }

    /**
     * Returns whether an earlier message of its key is in quarantine. A message that has none is free for good: those before it are settled or in
     * quarantine before it comes there.
     */
    boolean isWaiting(QuarantineEntry entry) {
        QuarantinedMessage message = entry.message();
        return message.keyHash() != KeyHash.NONE
                && quarantine
                        .lastBefore(
                                message.delivery().id().consumer(),
                                message.delivery().position(),
                                message.keyHash())
                        .isPresent();
    }

    /** Takes a message that has to wait out of its replay. It follows by itself when its key is free. */
    void letWait(QuarantineEntry entry) {
        QuarantinedMessage message = entry.message();
        inTransaction(() -> quarantine
                .take(message.delivery().id(), entry.generation())
                .ifPresent(kept -> quarantine.save(new QuarantinedMessage(
                        message.delivery(),
                        message.payload(),
                        message.failure(),
                        message.attempts(),
                        message.keyHash(),
                        true,
                        message.isDoubtful()))));
    }

    /** Deletes the entry of a message that was settled in an earlier transaction, in one of its own. */
    void settleAfterwards(ReplayAttempt attempt, ReplayResult result, Delivery asked) {
        inTransaction(() -> {
            if (level == ConsistencyLevel.NONE) {
                store.unquarantine(attempt.kept());
            } else if (!isTaken(attempt)) {
                return;
            } else if (attempt.hasOtherId(asked)) {
                store.unquarantine(attempt.kept());
                var unused = store.claim(List.of(attempt.kept()));
            }
            settle(attempt, result);
        });
    }

    /** Saves the failure of a message in a transaction of its own. Its id is still in quarantine. */
    void saveAfterwards(ReplayAttempt attempt, ReplayResult result, QuarantineFailure failure) {
        inTransaction(() -> save(attempt, result, failure));
    }

    /**
     * Saves the failure of a message with one more attempt, within the active transaction. What is gone stays gone, except under {@code
     * AT_MOST_ONCE}, where another node may have taken the committed claim of the running handler for that of a processed message.
     */
    void save(ReplayAttempt attempt, ReplayResult result, QuarantineFailure failure) {
        boolean isLocked = level == ConsistencyLevel.STRONG || level == ConsistencyLevel.AT_LEAST_ONCE;
        if (isLocked && !isTaken(attempt)) {
            attempt.gone();
            return;
        }
        QuarantinedMessage message = attempt.entry().message();
        int started = result == ReplayResult.FAILED ? 1 : 0;
        quarantine.save(new QuarantinedMessage(
                message.delivery(),
                message.payload(),
                failure,
                message.attempts() + started,
                message.keyHash(),
                false,
                message.isDoubtful() || (level == ConsistencyLevel.AT_MOST_ONCE && started > 0)));
        // Bytes that are gone say nothing about the other messages, so they do not stop a replay.
        boolean isGone = failure.type().equals(UnreadableBytesException.class.getName());
        count(attempt, result, isGone ? Optional.empty() : Optional.of(failure));
    }
}

package io.idempotency;

import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.UnreadableBytesException;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.Transactions;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles quarantined messages again, so that the effect of each happens once. Under {@code STRONG} it is one transaction:
 *
 * <ol>
 *   <li>Take the entry with its generation. If it is gone, there is nothing to do. Two nodes wait for each other here.
 *   <li>Make the id new, if it is quarantined and not processed, and claim it as ever. The original record that arrives now waits.
 *   <li>Granted: run the handler. Duplicate: go on without it. In progress: roll back, later.
 *   <li>Delete the entry, count the result, prove and commit.
 * </ol>
 *
 * <p>A crash leaves the entry, and an id in quarantine. A failure rolls all of it back; then another transaction takes the entry, saves it with the
 * failure and counts. The other levels have no transaction around the handler. They delete the entry when the message is recorded as processed: a crash
 * in between leaves an entry whose message is a duplicate. One message at a time.
 */
final class ReplayGuard<M> {

    private static final Logger log = LoggerFactory.getLogger(Replayer.class);

    private final Settings<M> live;
    private final KnownDuplicates known;
    private final ReplayBooks books;
    private final Transactions transactions;
    private final Consumer<Runnable> untilDone;
    private volatile @Nullable ReplayAttempt current;

    /** @param untilDone runs the last step of a message again until it works, or gives up because the replayer is closed */
    ReplayGuard(
            Settings<M> live,
            KnownDuplicates known,
            QuarantineStore quarantine,
            ReplayStore replays,
            Consumer<Runnable> untilDone) {
        this.live = live;
        this.known = known;
        this.books = new ReplayBooks(live, quarantine, replays);
        this.transactions = live.storage().store().transactions();
        this.untilDone = untilDone;
    }

    ReplayBooks books() {
        return books;
    }

    /** Returns the running attempt for one of its deliveries. */
    ReplayAttempt attempt(Delivery delivery) {
        ReplayAttempt attempt = current;
        if (attempt == null) {
            throw new IdempotencyException("The consumer for replays of " + live.name() + " was given " + delivery
                    + " outside of a replay. Give it messages only while a ReplayHandler is called");
        }
        if (attempt.hasOtherId(delivery) && !attempt.kept().position().equals(delivery.position())) {
            throw new IdempotencyException("The replay of " + attempt.kept() + " was given another message: " + delivery
                    + ". A ReplayHandler hands over the one message that it gets");
        }
        return attempt;
    }

    /** Finds the attempt in progress; null between messages. */
    @Nullable
    ReplayAttempt current() {
        return current;
    }

    /** Deletes the entry of a message that was just claimed and handled, right before the commit. */
    void beforeCommit() {
        ReplayAttempt attempt = current;
        Claim claim = attempt == null ? null : attempt.claim();
        if (attempt == null || claim == null || attempt.isSaving() || claim.isLease()) {
            return;
        }
        if (claim.status() == Claim.Status.DUPLICATE) {
            books.settle(attempt, ReplayResult.DUPLICATE);
        } else if (claim.isGranted() && live.level() == ConsistencyLevel.STRONG) {
            books.settle(attempt, ReplayResult.PROCESSED);
        }
    }

    /** Saves the message of the attempt within the active transaction, which has put its id back into quarantine. */
    void save(QuarantineFailure failure) {
        ReplayAttempt attempt = current;
        if (attempt != null) {
            books.save(attempt, ReplayResult.FAILED, failure);
            transactions.afterCommit(attempt::saved);
        }
    }

    /**
     * Handles one message of a replay. Errors of the virtual machine leave.
     *
     * @param mayRepeat whether a message is handled whose effect may have happened
     */
    ReplayEnding replay(String replay, ReplayStore.Item item, ReplayHandler handler, boolean mayRepeat) {
        Optional<QuarantineEntry> entry =
                books.quarantine().find(item.id()).filter(kept -> kept.generation() == item.generation());
        if (entry.isEmpty()) {
            return ReplayEnding.GONE;
        }
        if (entry.get().message().isDoubtful() && !mayRepeat) {
            return ReplayEnding.REFUSED;
        }
        if (books.isWaiting(entry.get())) {
            books.letWait(entry.get());
            return ReplayEnding.GONE;
        }
        ReplayAttempt attempt = new ReplayAttempt(replay, entry.get());
        long mark = known.mark();
        Throwable thrown = null;
        current = attempt;
        try {
            handler.handle(attempt.entry(), replay);
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            thrown = e;
        }
        try {
            ReplayEnding ending = attempt.reported() == null ? unreported(attempt, thrown) : reported(attempt);
            note(attempt, ending, mark);
            return ending;
        } finally {
            current = null;
        }
    }

    /** Ends a message that did not come through the consumer, or whose transaction, which was the caller's, did not commit. */
    private ReplayEnding unreported(ReplayAttempt attempt, @Nullable Throwable thrown) {
        if (attempt.isGone()) {
            return ReplayEnding.GONE;
        }
        if (thrown == null) {
            return failed(
                    attempt,
                    new IdempotencyException("The replay of " + attempt.kept()
                            + (attempt.claim() == null
                                    ? " did not reach its handler: something in front of it, such as a filter, took the message away"
                                    : " was rolled back without an exception")));
        }
        for (Throwable cause : Causes.of(thrown)) {
            if (cause instanceof UnreadableBytesException unreadable) {
                return unreadable(attempt, unreadable);
            }
        }
        return transactions.isTransient(thrown) ? ReplayEnding.later(thrown) : failed(attempt, thrown);
    }

    private ReplayEnding reported(ReplayAttempt attempt) {
        Consumption reported = Objects.requireNonNull(attempt.reported());
        Throwable failure = reported.failure().orElse(null);
        return switch (reported.outcome()) {
            case PROCESSED, EXPIRED -> settled(attempt, reported, ReplayResult.PROCESSED);
            case DUPLICATE -> settled(attempt, reported, ReplayResult.DUPLICATE);
            case IN_PROGRESS, WOULD_SKIP, WOULD_EXPIRE, WOULD_REFUSE -> ReplayEnding.later(null);
            case QUARANTINED ->
                failure == null
                        ? ReplayEnding.later(null)
                        : attempt.isSaved()
                                ? saved(attempt, ReplayResult.FAILED, failure)
                                : failedForGood(attempt, failure);
            case RELEASED -> {
                boolean isRefused = failure instanceof StoreFailure;
                yield attempt.isGone()
                        ? ReplayEnding.GONE
                        : failure == null || (reported.isTransient() && !isRefused)
                                ? ReplayEnding.later(failure)
                                : failed(attempt, failure);
            }
        };
    }

    private ReplayEnding settled(ReplayAttempt attempt, Consumption reported, ReplayResult result) {
        boolean isSettled = switch (live.level()) {
            case STRONG -> true;
            case AT_MOST_ONCE -> result == ReplayResult.DUPLICATE;
            case AT_LEAST_ONCE, NONE -> false;
        };
        if (!isSettled) {
            untilDone.accept(() -> books.settleAfterwards(attempt, result, reported.delivery()));
        }
        return ReplayEnding.settled(result, null);
    }

    private ReplayEnding failed(ReplayAttempt attempt, Throwable failure) {
        QuarantineFailure text = FailureText.forQuarantine(failure);
        untilDone.accept(() -> books.saveAfterwards(attempt, ReplayResult.FAILED, text));
        return saved(attempt, ReplayResult.FAILED, failure);
    }

    /** Repeats what could not be saved after an {@code AT_MOST_ONCE} handler failed: its claim is committed. */
    private ReplayEnding failedForGood(ReplayAttempt attempt, Throwable failure) {
        QuarantineFailure text = FailureText.forQuarantine(failure);
        untilDone.accept(() -> books.inTransaction(() -> {
            live.storage().store().quarantine(Claim.granted(attempt.kept()));
            books.save(attempt, ReplayResult.FAILED, text);
        }));
        return saved(attempt, ReplayResult.FAILED, failure);
    }

    private ReplayEnding unreadable(ReplayAttempt attempt, UnreadableBytesException failure) {
        Throwable cause = failure.getCause();
        QuarantineFailure before = attempt.entry().message().failure();
        QuarantineFailure text = FailureText.forQuarantine(cause == null ? failure : cause);
        QuarantineFailure kept = cause != null || before.type().equals(text.type())
                ? text
                : new QuarantineFailure(text.type(), text.group(), text.text() + "\nBefore: " + before.text());
        untilDone.accept(() -> books.saveAfterwards(attempt, ReplayResult.UNREADABLE, kept));
        return saved(attempt, ReplayResult.UNREADABLE, cause == null ? failure : cause);
    }

    private static ReplayEnding saved(ReplayAttempt attempt, ReplayResult result, Throwable failure) {
        return attempt.isGone() ? ReplayEnding.GONE : ReplayEnding.settled(result, failure);
    }

    /** Caches, logs and reports a message that is settled. */
    private void note(ReplayAttempt attempt, ReplayEnding ending, long mark) {
        ReplayResult result = ending.result();
        if (result == null) {
            return;
        }
        Throwable failure = ending.failure();
        Consumption reported = attempt.reported();
        int started = attempt.entry().message().attempts()
                + (result == ReplayResult.PROCESSED || result == ReplayResult.FAILED ? 1 : 0);
        if (failure != null) {
            log.warn(
                    "Replay {}: {} {} {}. It stays in {}.",
                    Printable.of(attempt.replay()),
                    attempt.kept(),
                    result == ReplayResult.FAILED ? "failed again" : "cannot be read",
                    Reports.after(started),
                    books.quarantine(),
                    FailureText.loggable(failure));
        } else if (reported != null && live.level() != ConsistencyLevel.NONE) {
            known.remember(reported.delivery(), reported.duplicate(), mark);
        }
        tell(new Replayed(
                attempt.replay(),
                attempt.kept(),
                live.level(),
                result,
                started,
                Optional.ofNullable(failure),
                reported == null ? 0 : reported.handlerNanos()));
    }

    private void tell(Replayed replayed) {
        try {
            live.listener().onReplay(replayed);
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.warn(
                    "The consumption listener failed for {}; its replay is not affected.",
                    replayed.delivery(),
                    FailureText.loggable(e));
        }
    }
}

package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransactionLostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.Ordered;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Takes part in the transaction that is active on the thread: has a last word before the commit, and runs actions after a confirmed commit. Each
 * transaction has one for each owner; Spring suspends it together with its transaction.
 */
final class ActiveTransaction implements TransactionSynchronization {

    /** Work that the commit depends on. */
    @FunctionalInterface
    interface LastWord {

        /** Runs the last statements before the commit: stores new names, and proves that this is still the same transaction. */
        void say(ActiveTransaction active);

        /**
         * Releases claims that somebody committed early: they are in the database although the last word was not said, or its commit failed. Called
         * after the end of the transaction, on its connection. Throws nothing.
         *
         * @return whether it found such claims
         */
        default boolean takeBack(ActiveTransaction active) {
            return false;
        }
    }

    private final Object owner;
    private final Evidence evidence;
    private final Map<String, Integer> proposedNames = new HashMap<>();
    private final List<Runnable> afterCommit = new ArrayList<>();
    private @Nullable Map<Object, Integer> stepsBySavepoint;
    private @Nullable Object state;
    private int steps;
    private @Nullable LastWord lastWord;
    /** Whether the transaction is ending: it takes no more claims. */
    private boolean isEnding;

    private boolean isSaid;
    private @Nullable String spoiledBy;
    private @Nullable Throwable firstFailure;

    private ActiveTransaction(Object owner, Evidence evidence) {
        this.owner = owner;
        this.evidence = evidence;
    }

    /**
     * Returns the owner's part in the running transaction, which must have synchronizations.
     *
     * @throws IdempotencyException if the transaction is ending, or has committed: nothing would commit this work
     */
    static ActiveTransaction of(Object owner) {
        return of(owner, false);
    }

    /**
     * Returns a part in the running transaction for actions after its commit: that of any owner, or a new one of this owner if there is none. A transaction
     * has fewer parts then, and Spring sorts them at each step of its end.
     *
     * @throws IdempotencyException as {@link #of}
     */
    static ActiveTransaction ofAnyOr(Object owner) {
        return of(owner, true);
    }

    private static ActiveTransaction of(Object owner, boolean isAnyOwner) {
        List<TransactionSynchronization> registered = TransactionSynchronizationManager.getSynchronizations();
        boolean isOurs = false;
        ActiveTransaction other = null;
        for (TransactionSynchronization each : registered) {
            if (each instanceof ActiveTransaction active) {
                if ((isAnyOwner || active.owner == owner) && !active.isEnding) {
                    return active;
                }
                if (active.isEnding) {
                    throw Completion.refused();
                }
                other = active;
            } else if (each instanceof TransactionOutcome ending) {
                if (ending.isEnding()) {
                    throw Completion.refused();
                }
                isOurs = true;
            }
        }
        if (!isOurs && Completion.isRunning(registered)) {
            throw Completion.refused();
        }
        ActiveTransaction active =
                new ActiveTransaction(owner, other == null ? new Evidence(isOurs) : other.evidence.ofAnotherOwner());
        TransactionSynchronizationManager.registerSynchronization(active);
        return active;
    }

    /** Returns the parts of all owners in the running transaction. */
    static Stream<ActiveTransaction> ofThread() {
        return TransactionSynchronizationManager.isSynchronizationActive()
                ? TransactionSynchronizationManager.getSynchronizations().stream()
                        .filter(ActiveTransaction.class::isInstance)
                        .map(ActiveTransaction.class::cast)
                : Stream.empty();
    }

    /** Keeps the first failure that marked the transaction for rollback. */
    void failed(Throwable failure) {
        firstFailure = firstFailure == null ? failure : firstFailure;
    }

    Optional<Throwable> firstFailure() {
        return Optional.ofNullable(firstFailure);
    }

    /** Makes the commit depend on the last word. A later rollback to an older savepoint spoils the transaction. */
    void dependOn(LastWord word) {
        if (lastWord == null) {
            evidence.expectWords(1);
        }
        lastWord = word;
        steps++;
    }

    void afterCommit(Runnable action) {
        steps++;
        afterCommit.add(action);
    }

    /** Makes sure that this transaction is never committed. */
    void spoil(String why) {
        spoiledBy = why;
    }

    /** Makes sure that this transaction is never committed, because of a failure that somebody may have caught. */
    void spoil(String why, Throwable failure) {
        spoil(why);
        failed(failure);
    }

    Evidence evidence() {
        return evidence;
    }

    /** Returns whether messages were claimed in the transaction. */
    boolean isWithClaims() {
        return lastWord != null;
    }

    /** Returns the numbers of new names, to be stored before the commit. */
    Map<String, Integer> proposedNames() {
        return proposedNames;
    }

    /** Returns the owner's state for the transaction, and creates it at the first call. Only the owner knows its type. */
    <S> S state(Class<S> type, Supplier<S> initial) {
        if (state == null) {
            state = initial.get();
        }
        return type.cast(state);
    }

    /** Returns the owner's state for the transaction, if it has one of the type. */
    <S> Optional<S> state(Class<S> type) {
        return Optional.ofNullable(state).filter(type::isInstance).map(type::cast);
    }

    @Override
    public int getOrder() {
        return Ordered.LOWEST_PRECEDENCE;
    }

    @Override
    public void savepoint(Object savepoint) {
        Map<Object, Integer> known = stepsBySavepoint == null ? new IdentityHashMap<>() : stepsBySavepoint;
        known.put(savepoint, steps);
        stepsBySavepoint = known;
    }

    @Override
    public void savepointRollback(Object savepoint) {
        Integer stepsThen = stepsBySavepoint == null ? null : stepsBySavepoint.get(savepoint);
        if (stepsThen == null || stepsThen != steps) {
            spoil("a nested transaction was rolled back, and messages were claimed in it");
        }
    }

    /** {@inheritDoc} Other synchronizations may follow this one. So the last word is left to the transaction manager, if it says it. */
    @Override
    public void beforeCommit(boolean readOnly) {
        if (!LastWords.isManagerSayingThem()) {
            sayLastWord();
        }
        isEnding = true;
    }

    /**
     * Lets all owners in the running transaction say their last words, if it has claims or was spoiled. What JPA has not written yet is written before.
     *
     * @throws TransactionLostException if the transaction was marked for rollback while it was ending; Spring would commit it, and report a rollback
     */
    static void sayLastWords(TransactionExecution ending) {
        List<ActiveTransaction> owners = new ArrayList<>(1);
        for (TransactionSynchronization each : TransactionSynchronizationManager.getSynchronizations()) {
            if (each instanceof ActiveTransaction active && (active.lastWord != null || active.spoiledBy != null)) {
                owners.add(active);
            }
        }
        if (owners.isEmpty()) {
            return;
        }
        if (ending.isRollbackOnly()) {
            throw SqlFailures.rollbackOnly(owners.get(0).firstFailure);
        }
        if (ending instanceof TransactionStatus status) {
            status.flush();
        }
        owners.forEach(ActiveTransaction::sayLastWord);
    }

    private void sayLastWord() {
        if (isSaid) {
            return;
        }
        isSaid = true;
        if (spoiledBy != null) {
            String message = "The transaction must not commit its claims: " + spoiledBy;
            throw firstFailure == null
                    ? new TransactionLostException(message)
                    : new TransactionLostException(
                            message + ". The first failure was "
                                    + NestedExceptionUtils.getMostSpecificCause(firstFailure)
                                    + ". Let the exception leave the transaction",
                            firstFailure);
        }
        if (lastWord != null) {
            lastWord.say(this);
            evidence.expectWords(-1);
        }
    }

    @Override
    public void afterCompletion(int status) {
        if (status == STATUS_COMMITTED && evidence.areWordsSaid()) {
            afterCommit.forEach(Runnable::run);
        } else if (lastWord != null && lastWord.takeBack(this)) {
            evidence.committedEarly();
        }
    }
}

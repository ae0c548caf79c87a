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
import org.springframework.core.Ordered;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * What this library does with the transaction that is active on the thread: has a last word before the commit, and runs
 * actions after a commit that was confirmed. There is one for each transaction and owner; Spring suspends it together with
 * its transaction.
 */
final class ActiveTransaction implements TransactionSynchronization {

    /** What the commit depends on. */
    @FunctionalInterface
    interface LastWord {

        /** The last statements before the commit: store what is left, and prove that this is still the same transaction. */
        void say(ActiveTransaction active);

        /**
         * Gives back what is in the database although the last word was not said, or nothing was committed behind it: somebody committed early. Called
         * after the end of the transaction, on its connection. Throws nothing.
         *
         * @return whether there was anything
         */
        default boolean takeBack(ActiveTransaction active) {
            return false;
        }
    }

    private final Object owner;
    private final Evidence evidence;
    private final Map<String, Integer> proposedNames = new HashMap<>();
    private final List<Runnable> afterCommit = new ArrayList<>();
    private final IdentityHashMap<Object, Integer> stepsBySavepoint = new IdentityHashMap<>();
    private @Nullable Object state;
    private int steps;
    private @Nullable LastWord lastWord;
    private boolean isLastWordSaid;
    private @Nullable String spoiledBy;
    private @Nullable Throwable firstFailure;

    private ActiveTransaction(Object owner, Evidence evidence) {
        this.owner = owner;
        this.evidence = evidence;
    }

    /**
     * Returns the owner's in the running transaction, which must have synchronizations.
     *
     * @throws IdempotencyException if the transaction is about to end, or has committed: what is done now would be in none
     */
    static ActiveTransaction of(Object owner) {
        List<TransactionSynchronization> registered = TransactionSynchronizationManager.getSynchronizations();
        boolean isOurs = registered.stream().anyMatch(TransactionOutcome.class::isInstance);
        Evidence evidence = new Evidence(isOurs);
        for (TransactionSynchronization each : registered) {
            if (each instanceof ActiveTransaction active) {
                if (active.owner == owner && !active.isLastWordSaid) {
                    return active;
                }
                evidence = active.evidence.ofAnotherOwner();
            }
            if ((each instanceof TransactionOutcome ending && ending.isEnding())
                    || (each instanceof ActiveTransaction active && active.isLastWordSaid)) {
                throw Completion.refused();
            }
        }
        if (!isOurs && Completion.isRunning(registered)) {
            throw Completion.refused();
        }
        ActiveTransaction active = new ActiveTransaction(owner, evidence);
        TransactionSynchronizationManager.registerSynchronization(active);
        return active;
    }

    /** Returns those of all owners in the running transaction. */
    static Stream<ActiveTransaction> ofThread() {
        return TransactionSynchronizationManager.isSynchronizationActive()
                ? TransactionSynchronizationManager.getSynchronizations().stream()
                        .filter(ActiveTransaction.class::isInstance)
                        .map(ActiveTransaction.class::cast)
                : Stream.empty();
    }

    /** Keeps the first failure that set the transaction to roll back. */
    void failed(Throwable failure) {
        firstFailure = firstFailure == null ? failure : firstFailure;
    }

    Optional<Throwable> firstFailure() {
        return Optional.ofNullable(firstFailure);
    }

    /** Makes the commit depend on the last word; what has been done since a savepoint is not to be rolled back to it. */
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

    Evidence evidence() {
        return evidence;
    }

    /** The numbers of new names, to be stored before the commit. */
    Map<String, Integer> proposedNames() {
        return proposedNames;
    }

    /** Returns what the owner keeps for the transaction; it is created when it is asked for first. Only the owner knows what it is. */
    <S> S state(Class<S> type, Supplier<S> initial) {
        if (state == null) {
            state = initial.get();
        }
        return type.cast(state);
    }

    /** Returns what the owner keeps for the transaction, if it keeps anything of the type. */
    <S> Optional<S> state(Class<S> type) {
        return Optional.ofNullable(state).filter(type::isInstance).map(type::cast);
    }

    @Override
    public int getOrder() {
        return Ordered.LOWEST_PRECEDENCE;
    }

    @Override
    public void savepoint(Object savepoint) {
        stepsBySavepoint.put(savepoint, steps);
    }

    @Override
    public void savepointRollback(Object savepoint) {
        Integer stepsThen = stepsBySavepoint.get(savepoint);
        if (stepsThen == null || stepsThen != steps) {
            spoil("a nested transaction was rolled back, and messages were claimed in it");
        }
    }

    @Override
    public void beforeCommit(boolean readOnly) {
        if (spoiledBy != null) {
            throw new TransactionLostException("The transaction must not commit what it claimed: " + spoiledBy);
        }
        if (lastWord != null) {
            lastWord.say(this);
            evidence.expectWords(-1);
        }
        isLastWordSaid = true;
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

package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.util.List;
import java.util.Set;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionSynchronizationUtils;

/**
 * Tells whether the running transaction is ending. Spring only tells synchronizations that were registered before. So this class looks on the stack
 * for a call of {@link TransactionSynchronizationUtils} to one of the registered synchronizations. A synchronization that begins a transaction of its
 * own (REQUIRES_NEW) is not registered in that one.
 */
final class Completion {

    private static final Set<String> CALLS = Set.of(
            "triggerBeforeCommit",
            "triggerBeforeCompletion",
            "triggerAfterCommit",
            "invokeAfterCommit",
            "triggerAfterCompletion",
            "invokeAfterCompletion");

    private static final Set<String> AFTERWARDS =
            Set.of("triggerAfterCommit", "invokeAfterCommit", "triggerAfterCompletion", "invokeAfterCompletion");

    private static final StackWalker STACK = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private Completion() {}

    /** Returns whether the stack has a call to one of the synchronizations about the end of its transaction. Takes some microseconds. */
    static boolean isRunning(List<TransactionSynchronization> registered) {
        return isRunning(registered, CALLS);
    }

    /** Returns whether the innermost such call on the stack is one of these. */
    private static boolean isRunning(List<TransactionSynchronization> registered, Set<String> calls) {
        Class<?>[] called = {Object.class};
        return STACK.walk(frames -> frames.filter(frame -> {
                            boolean isCompletion = frame.getDeclaringClass() == TransactionSynchronizationUtils.class
                                    && CALLS.contains(frame.getMethodName());
                            if (!isCompletion) {
                                called[0] = frame.getDeclaringClass();
                            }
                            return isCompletion;
                        })
                        .findFirst()
                        .filter(frame -> calls.contains(frame.getMethodName()))
                        .isPresent()
                && registered.stream().anyMatch(called[0]::isInstance));
    }

    /**
     * Refuses if the running transaction has committed, or was rolled back, and is calling its synchronizations. Before the commit, work is still committed.
     *
     * @throws IdempotencyException if nothing would commit more work
     */
    static void requireUncommitted() {
        List<TransactionSynchronization> registered = TransactionSynchronizationManager.getSynchronizations();
        for (TransactionSynchronization each : registered) {
            if (each instanceof TransactionOutcome outcome && !outcome.isEnding()) {
                return;
            }
        }
        if (isRunning(registered, AFTERWARDS)) {
            throw refused();
        }
    }

    static IdempotencyException refused() {
        return new IdempotencyException(
                "The transaction is ending: the caller is one of its synchronizations, such as a"
                        + " @TransactionalEventListener, which runs after the commit. Nothing would commit this work. Begin"
                        + " another transaction, by @Transactional(propagation = REQUIRES_NEW) or a TransactionTemplate with that"
                        + " propagation, or call this earlier");
    }
}

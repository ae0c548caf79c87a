package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.util.List;
import java.util.Set;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationUtils;

/**
 * Tells whether the running transaction has begun to end. Spring tells it to nobody who was not registered before; but then it is one of the
 * transaction's synchronizations that is being called, by {@link TransactionSynchronizationUtils}. In a transaction that such a one begins
 * (REQUIRES_NEW), it is not registered.
 */
final class Completion {

    private static final Set<String> CALLS = Set.of(
            "triggerBeforeCommit",
            "triggerBeforeCompletion",
            "triggerAfterCommit",
            "invokeAfterCommit",
            "triggerAfterCompletion",
            "invokeAfterCompletion");

    private static final StackWalker STACK = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private Completion() {}

    /** Returns whether one of the synchronizations is on the stack, told of the end of its transaction. Takes some microseconds. */
    static boolean isRunning(List<TransactionSynchronization> registered) {
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
                        .isPresent()
                && registered.stream().anyMatch(called[0]::isInstance));
    }

    static IdempotencyException refused() {
        return new IdempotencyException(
                "The transaction is ending: this was called by one of its synchronizations, such as a"
                        + " @TransactionalEventListener, which is called after the commit, so that nothing would commit what is done here. Begin"
                        + " another transaction, by @Transactional(propagation = REQUIRES_NEW) or a TransactionTemplate with that"
                        + " propagation, or do it earlier");
    }
}

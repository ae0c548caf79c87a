package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import java.lang.reflect.AnnotatedElement;
import java.util.Optional;

/**
 * What an annotated listener asks for; empty where it leaves the choice to the properties.
 *
 * @param element the annotated method or class
 * @param name the consumer name, placeholders not yet resolved
 */
record ListenerDefinition(
        AnnotatedElement element,
        String name,
        Optional<ConsistencyLevel> level,
        String messageId,
        String store,
        Optional<TransactionPer> transactionPer) {

    static ListenerDefinition of(AnnotatedElement element, Idempotent annotation) {
        return new ListenerDefinition(
                element,
                annotation.value(),
                atMostOne(element, "level", annotation.level()),
                annotation.messageId(),
                annotation.store(),
                atMostOne(element, "transactionPer", annotation.transactionPer()));
    }

    /**
     * Returns the definition with the name as it is.
     *
     * @throws ListenerRefusedException if it cannot be one
     */
    ListenerDefinition named(String resolved) {
        try {
            MessageId.requireConsumer(resolved);
        } catch (IdempotencyException e) {
            throw new ListenerRefusedException(
                    this + " has a name that cannot be one. " + e.getMessage(),
                    "Name the consumer by what it does, such as @Idempotent(\"billing\").");
        }
        return new ListenerDefinition(element, resolved, level, messageId, store, transactionPer);
    }

    /** Returns the definition of a batch listener, whose records always share a transaction. */
    ListenerDefinition sharingTransactions() {
        return new ListenerDefinition(element, name, level, messageId, store, Optional.of(TransactionPer.POLL));
    }

    private static <T> Optional<T> atMostOne(AnnotatedElement element, String attribute, T[] values) {
        if (values.length > 1) {
            throw new ListenerRefusedException(
                    "@Idempotent on " + element + " has " + values.length + " values of " + attribute,
                    "Leave one of them.");
        }
        return values.length == 0 ? Optional.empty() : Optional.of(values[0]);
    }

    @Override
    public String toString() {
        return "@Idempotent(\"" + name + "\") on " + element;
    }
}

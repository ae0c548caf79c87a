package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import java.lang.reflect.AnnotatedElement;
import java.util.Objects;
import java.util.Optional;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;

/**
 * Holds the settings that a listener asks for. Those that it leaves to the properties are empty.
 *
 * @param element its method, or the class of its methods
 * @param bean the object of the method: two beans of one class are two listeners
 * @param name the consumer name
 * @param boundTo the listener id by which properties or a program bind it; empty if it is annotated
 */
record ListenerDefinition(AnnotatedElement element, Object bean, String name, String boundTo, Asked asked) {

    /** What it asks for. */
    private record Asked(
            Optional<ConsistencyLevel> level,
            String messageId,
            String store,
            Optional<TransactionPer> transactionPer,
            boolean isShadow) {}

    Optional<ConsistencyLevel> level() {
        return asked.level();
    }

    String messageId() {
        return asked.messageId();
    }

    String store() {
        return asked.store();
    }

    Optional<TransactionPer> transactionPer() {
        return asked.transactionPer();
    }

    /** Returns whether it is only watched, and runs as with spring-kafka alone. */
    boolean isShadow() {
        return asked.isShadow();
    }

    static ListenerDefinition of(AnnotatedElement element, Object bean, Idempotent annotation) {
        return new ListenerDefinition(
                element,
                bean,
                annotation.value(),
                "",
                new Asked(
                        atMostOne(element, "level", annotation.level()),
                        annotation.messageId(),
                        annotation.store(),
                        atMostOne(element, "transactionPer", annotation.transactionPer()),
                        annotation.shadow()));
    }

    /** Returns the definition of a listener without an annotation, which leaves all to the properties. */
    static ListenerDefinition bound(String name, AbstractMessageListenerContainer<?, ?> container) {
        AdaptedListener listener = AdaptedListener.in(
                Objects.requireNonNull(container.getContainerProperties().getMessageListener()));
        return new ListenerDefinition(
                listener.element(),
                listener.bean(),
                name,
                ConfiguredConsumers.id(container),
                new Asked(Optional.empty(), "", "", Optional.empty(), false));
    }

    /**
     * Returns the definition with its resolved name.
     *
     * @throws ListenerRefusedException if the name is not allowed
     */
    ListenerDefinition named(String resolved) {
        try {
            MessageId.requireConsumer(resolved);
        } catch (IdempotencyException e) {
            throw new ListenerRefusedException(
                    this + " has a name that is not allowed. " + e.getMessage(),
                    "Name the consumer by what it does, such as @Idempotent(\"billing\").");
        }
        return new ListenerDefinition(element, bean, resolved, boundTo, asked);
    }

    /** Returns the definition with the properties of its consumer, which override the annotation. */
    ListenerDefinition with(IdempotencyProperties.Consumer configured) {
        return new ListenerDefinition(
                element,
                bean,
                name,
                boundTo,
                new Asked(
                        asked.level(),
                        configured.messageId() == null ? asked.messageId() : configured.messageId(),
                        asked.store(),
                        configured.transactionPer() == null
                                ? asked.transactionPer()
                                : Optional.of(configured.transactionPer()),
                        configured.shadow() == null ? asked.isShadow() : configured.shadow()));
    }

    /** Returns the definition of a batch listener, whose records always share a transaction. */
    ListenerDefinition sharingTransactions() {
        return withTransactionPer(TransactionPer.POLL);
    }

    /** Returns the definition with a scope of its transactions, unless it asks for one. */
    ListenerDefinition orTransactionPer(TransactionPer otherwise) {
        return transactionPer().isPresent() ? this : withTransactionPer(otherwise);
    }

    private ListenerDefinition withTransactionPer(TransactionPer per) {
        return new ListenerDefinition(
                element,
                bean,
                name,
                boundTo,
                new Asked(asked.level(), asked.messageId(), asked.store(), Optional.of(per), asked.isShadow()));
    }

    /** Returns whether both are the same methods of the same object, whatever their settings. */
    boolean isSame(ListenerDefinition other) {
        return bean == other.bean() && element.equals(other.element());
    }

    private static <T> Optional<T> atMostOne(AnnotatedElement element, String attribute, T[] values) {
        if (values.length > 1) {
            throw new ListenerRefusedException(
                    "@Idempotent on " + element + " has " + values.length + " values of " + attribute,
                    "Keep one of them.");
        }
        return values.length == 0 ? Optional.empty() : Optional.of(values[0]);
    }

    @Override
    public String toString() {
        return boundTo.isEmpty()
                ? "@Idempotent(\"" + name + "\") on " + element
                : "Listener " + boundTo + " of consumer " + name + ", " + element + ",";
    }
}

package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.TransactionRunner;
import java.util.List;
import java.util.Optional;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.beans.factory.config.EmbeddedValueResolver;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.AnnotationTransactionAttributeSource;
import org.springframework.transaction.interceptor.TransactionAttribute;

/**
 * Begins the transactions of claims with the isolation level and the timeout of the listener's {@code @Transactional}. The listener only joins its
 * transaction, so both have to be set when that begins.
 */
final class ListenerTransactions {

    private final AnnotationTransactionAttributeSource attributes = new AnnotationTransactionAttributeSource(false);

    ListenerTransactions(ConfigurableBeanFactory beans) {
        attributes.setEmbeddedValueResolver(new EmbeddedValueResolver(beans));
    }

    private record Asked(int isolation, int timeout) {

        static Asked of(Optional<TransactionAttribute> attribute) {
            return attribute
                    .map(of -> new Asked(of.getIsolationLevel(), of.getTimeout()))
                    .orElse(new Asked(TransactionDefinition.ISOLATION_DEFAULT, TransactionDefinition.TIMEOUT_DEFAULT));
        }

        boolean isDefault() {
            return equals(of(Optional.empty()));
        }
    }

    /** Returns the transaction attribute of each method of the listener, also from its class or a composed annotation. */
    List<Optional<TransactionAttribute>> attributes(ListenerDefinition listener) {
        return ListenerChecks.methods(listener.element()).stream()
                .map(method -> Optional.ofNullable(
                        attributes.getTransactionAttribute(method, AopUtils.getTargetClass(listener.bean()))))
                .toList();
    }

    /**
     * Returns transactions of the store with the isolation level and the timeout of the listener.
     *
     * @throws ListenerRefusedException if its methods differ in them, or the store does not support them
     */
    TransactionRunner of(ListenerDefinition listener, ClaimStore store) {
        List<Asked> asked =
                attributes(listener).stream().map(Asked::of).distinct().toList();
        refuseIf(
                asked.size() > 1,
                listener
                        + " has handlers that are @Transactional with different isolation levels or timeouts, but its transaction begins"
                        + " before one of them is chosen",
                "Give all of them the same.");
        if (asked.isEmpty() || asked.get(0).isDefault()) {
            return store.transactions();
        }
        refuseIf(
                !(store.transactions() instanceof JdbcTransactions),
                listener + " is @Transactional with an isolation level or a timeout, but its store, "
                        + store.getClass().getSimpleName() + ", does not support them",
                "Remove them, or use a store in the database.");
        return ((JdbcTransactions) store.transactions())
                .with(asked.get(0).isolation(), asked.get(0).timeout());
    }
}

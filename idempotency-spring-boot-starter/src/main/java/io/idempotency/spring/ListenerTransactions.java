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
 * What {@code @Transactional} on a listener asks of the transaction that it joins, which begins before it is called: the isolation level and
 * the timeout have to be there from the beginning.
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

    /** Returns what each method of the listener says, also by its class or an annotation of the user's own. */
    List<Optional<TransactionAttribute>> attributes(ListenerDefinition listener) {
        return ListenerChecks.methods(listener.element()).stream()
                .map(method -> Optional.ofNullable(
                        attributes.getTransactionAttribute(method, AopUtils.getTargetClass(listener.bean()))))
                .toList();
    }

    /**
     * Returns the transactions of the store as the listener asks for them.
     *
     * @throws ListenerRefusedException if its methods ask for different ones, or the store cannot begin them so
     */
    TransactionRunner of(ListenerDefinition listener, ClaimStore store) {
        List<Asked> asked =
                attributes(listener).stream().map(Asked::of).distinct().toList();
        refuseIf(
                asked.size() > 1,
                listener + " has handlers that are @Transactional with different isolation levels or timeouts, and one"
                        + " transaction that begins before it is known which of them is called",
                "Give all of them the same.");
        if (asked.isEmpty() || asked.get(0).isDefault()) {
            return store.transactions();
        }
        refuseIf(
                !(store.transactions() instanceof JdbcTransactions),
                listener + " is @Transactional with an isolation level or a timeout, and its store, "
                        + store.getClass().getSimpleName() + ", has transactions of another kind",
                "Leave them out, or use a store in the database.");
        return ((JdbcTransactions) store.transactions())
                .with(asked.get(0).isolation(), asked.get(0).timeout());
    }
}

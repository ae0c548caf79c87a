package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import java.util.Optional;
import java.util.Set;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.annotation.BeanFactoryAnnotationUtils;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionManager;
import org.springframework.transaction.interceptor.TransactionAttribute;
import org.springframework.util.StringUtils;

/** Refuses transactions around or inside a listener that are not the transaction of its claims. */
final class TransactionChecks {

    private static final Set<Integer> APART = Set.of(
            TransactionDefinition.PROPAGATION_REQUIRES_NEW,
            TransactionDefinition.PROPAGATION_NOT_SUPPORTED,
            TransactionDefinition.PROPAGATION_NEVER);

    private final BeanFactory beans;
    private final Stores stores;
    private final ListenerTransactions transactions;

    TransactionChecks(BeanFactory beans, Stores stores, ListenerTransactions transactions) {
        this.beans = beans;
        this.stores = stores;
        this.transactions = transactions;
    }

    void require(ListenerDefinition listener, ConsistencyLevel level, ContainerProperties container) {
        refuseIf(
                container.getKafkaAwareTransactionManager() != null,
                listener
                        + " runs in a Kafka transaction of its container: if that fails after the database commit, the messages that the"
                        + " listener sent are lost, because the redelivery is skipped",
                "Remove the transaction manager of the container, which spring.kafka.producer.transaction-id-prefix sets, and"
                        + " send through an outbox in the listener's own transaction.");
        refuseIf(
                hasTransactionManager(container),
                listener + " runs in a transaction of its container, which acknowledges before it commits",
                "Remove the transaction manager of the container: the listener gets a transaction of its own.");
        if (level == ConsistencyLevel.STRONG) {
            Optional<PlatformTransactionManager> manager = stores.transactionManager(listener);
            for (Optional<TransactionAttribute> each : transactions.attributes(listener)) {
                each.ifPresent(attribute -> {
                    requireJoining(listener, attribute);
                    manager.ifPresent(of -> requireSame(listener, attribute, of));
                });
            }
        }
    }

    @SuppressWarnings("removal") // as long as a container can have one
    private static boolean hasTransactionManager(ContainerProperties container) {
        return container.getTransactionManager() != null;
    }

    private static void requireJoining(ListenerDefinition listener, TransactionAttribute attribute) {
        refuseIf(
                APART.contains(attribute.getPropagationBehavior()),
                listener + " is @Transactional with a propagation that leaves the transaction of its claim",
                "Use REQUIRED, or remove @Transactional: the listener runs in a transaction already.");
        refuseIf(
                attribute.isReadOnly(),
                listener + " is @Transactional(readOnly = true), which does not write in the transaction of its claim",
                "Remove readOnly, or @Transactional altogether.");
        refuseIf(
                attribute.getIsolationLevel() == TransactionDefinition.ISOLATION_READ_UNCOMMITTED,
                listener
                        + " is @Transactional(isolation = READ_UNCOMMITTED), which would take a message that is still being"
                        + " processed for a duplicate",
                "Use READ COMMITTED or a stricter isolation level.");
        refuseIf(
                attribute.getTimeout() != TransactionDefinition.TIMEOUT_DEFAULT
                        && listener.transactionPer().orElse(TransactionPer.RECORD) == TransactionPer.POLL,
                listener + " is @Transactional with a timeout, but has one transaction for all records of a poll",
                "Use transactionPer = RECORD, or remove the timeout.");
    }

    /** Returns the manager that has this qualifier, or this name or alias, as Spring itself looks for it. */
    private TransactionManager named(ListenerDefinition listener, String qualifier) {
        try {
            return BeanFactoryAnnotationUtils.qualifiedBeanOfType(beans, TransactionManager.class, qualifier);
        } catch (NoSuchBeanDefinitionException e) {
            throw new ListenerRefusedException(
                    listener + " is @Transactional by \"" + qualifier
                            + "\", but not exactly one transaction manager has this name or qualifier",
                    "Name the transaction manager of the idempotency tables in @Transactional, or remove @Transactional.");
        }
    }

    private void requireSame(
            ListenerDefinition listener, TransactionAttribute attribute, PlatformTransactionManager ofStore) {
        String qualifier = attribute.getQualifier();
        TransactionManager used = StringUtils.hasText(qualifier)
                ? named(listener, qualifier)
                : beans.getBeanProvider(TransactionManager.class).getIfUnique();
        refuseIf(
                used != null && used != ofStore,
                listener + " is @Transactional by another transaction manager (" + used
                        + ") than the one of the idempotency" + " tables (" + ofStore
                        + "), so its effect and its claim would not commit together",
                "Name the right one in @Transactional, or remove @Transactional.");
    }
}

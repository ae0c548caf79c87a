package io.idempotency.spring;

import io.idempotency.jdbc.JdbcTransactions;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.interceptor.DelegatingTransactionAttribute;
import org.springframework.transaction.interceptor.TransactionAttribute;
import org.springframework.transaction.interceptor.TransactionAttributeSource;
import org.springframework.transaction.interceptor.TransactionInterceptor;

/**
 * Notes what is thrown through the {@code @Transactional} methods that a listener calls. It sets the claim's transaction to roll back, and is lost if the
 * listener catches it: only the attributes of the method are asked about it.
 */
record ThrownThrough(TransactionAttributeSource attributes) implements TransactionAttributeSource {

    static void noteIn(TransactionInterceptor interceptor) {
        TransactionAttributeSource attributes = interceptor.getTransactionAttributeSource();
        if (attributes != null && !(attributes instanceof ThrownThrough)) {
            interceptor.setTransactionAttributeSource(new ThrownThrough(attributes));
        }
    }

    @Override
    public boolean isCandidateClass(Class<?> type) {
        return attributes.isCandidateClass(type);
    }

    @Override
    public boolean hasTransactionAttribute(Method method, @Nullable Class<?> type) {
        return attributes.hasTransactionAttribute(method, type);
    }

    @Override
    public @Nullable TransactionAttribute getTransactionAttribute(Method method, @Nullable Class<?> type) {
        TransactionAttribute attribute = attributes.getTransactionAttribute(method, type);
        return attribute == null ? null : new Noting(attribute);
    }

    private static final class Noting extends DelegatingTransactionAttribute {

        private static final long serialVersionUID = 1L;

        Noting(TransactionAttribute target) {
            super(target);
        }

        @Override
        public boolean rollbackOn(Throwable thrown) {
            boolean isRolledBack = super.rollbackOn(thrown);
            if (isRolledBack && getPropagationBehavior() != PROPAGATION_NESTED) {
                JdbcTransactions.noteFailure(thrown);
            }
            return isRolledBack;
        }
    }
}

package io.idempotency.spring;

import io.idempotency.jdbc.JdbcTransactions;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.interceptor.DelegatingTransactionAttribute;
import org.springframework.transaction.interceptor.TransactionAttribute;
import org.springframework.transaction.interceptor.TransactionAttributeSource;
import org.springframework.transaction.interceptor.TransactionInterceptor;

/**
 * Remembers exceptions that leave a {@code @Transactional} method which a listener calls. Such an exception marks the claim's transaction for
 * rollback, and would be lost if the listener catches it: Spring shows it only to the method's transaction attribute.
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

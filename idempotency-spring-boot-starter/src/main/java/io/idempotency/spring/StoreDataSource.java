package io.idempotency.spring;

import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;

/** The data source of the idempotency tables. */
record StoreDataSource(DataSource value) {

    static StoreDataSource of(ObjectProvider<DataSource> all, ObjectProvider<DataSource> marked) {
        return new StoreDataSource(marked.getIfAvailable(all::getObject));
    }

    /** Matches if a data source is marked, or is the only or the primary one. */
    static final class Condition extends AnyNestedCondition {

        Condition() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnSingleCandidate(DataSource.class)
        static final class Single {}

        @ConditionalOnBean(annotation = IdempotencyDataSource.class)
        static final class Marked {}
    }
}

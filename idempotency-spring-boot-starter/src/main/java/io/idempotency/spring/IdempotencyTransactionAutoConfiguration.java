package io.idempotency.spring;

import io.idempotency.jdbc.JdbcTransactions;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionManagerCustomizationAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionManagerCustomizers;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.transaction.TransactionManager;

/**
 * Offers the transaction manager that saves a round trip for each transaction with claims. It does so exactly where Spring Boot would create its own {@link
 * JdbcTransactionManager}: with one data source, and without any other transaction manager, such as that of JPA. Both have the same name and settings.
 */
@AutoConfiguration(
        after = {DataSourceAutoConfiguration.class, TransactionManagerCustomizationAutoConfiguration.class},
        afterName = "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration",
        before = DataSourceTransactionManagerAutoConfiguration.class)
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnClass(KafkaListener.class)
@ConditionalOnBooleanProperty(
        name = {"idempotency.enabled", "spring.dao.exceptiontranslation.enabled"},
        matchIfMissing = true)
@ConditionalOnSingleCandidate(DataSource.class)
public class IdempotencyTransactionAutoConfiguration {

    /** Created by Spring. */
    IdempotencyTransactionAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean(TransactionManager.class)
    JdbcTransactionManager transactionManager(
            DataSource dataSource, ObjectProvider<TransactionManagerCustomizers> customizers) {
        JdbcTransactionManager manager = JdbcTransactions.manager(dataSource);
        customizers.ifAvailable(all -> all.customize(manager));
        return manager;
    }
}

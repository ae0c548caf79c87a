package io.idempotency.faultkit;

import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcConnectionPool;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;
import org.springframework.transaction.support.TransactionTemplate;

/** What users write about a service of a Spring application without Kafka. {@link WithoutOptionalPartsTest} runs it. */
@SpringJUnitConfig
class ServiceUsers {

    @Configuration(proxyBeanMethods = false)
    static class Application {

        @Bean
        static DataSource dataSource() {
            return JdbcConnectionPool.create("jdbc:h2:mem:service;DB_CLOSE_DELAY=-1", "sa", "");
        }

        @Bean
        static JdbcTemplate jdbc(DataSource dataSource) {
            JdbcTemplate jdbc = new JdbcTemplate(dataSource);
            jdbc.execute("create table if not exists charge (message varchar(100) primary key)");
            return jdbc;
        }

        @Bean
        static TransactionTemplate transactions(DataSource dataSource) {
            return new TransactionTemplate(new JdbcTransactionManager(dataSource));
        }
    }

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transactions;

    ServiceUsers(@Autowired JdbcTemplate jdbc, @Autowired TransactionTemplate transactions) {
        this.jdbc = jdbc;
        this.transactions = transactions;
    }

    @IdempotencyTest
    void chargesOnce(FaultKit kit) {
        kit.deliver(
                kit::id,
                order -> transactions.executeWithoutResult(
                        status -> jdbc.update("merge into charge values (?)", order)));
        kit.effects("select count(*) from charge");
    }
}

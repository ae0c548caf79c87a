package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.jdbc.TableStore;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** Several data sources: the idempotency tables are where the effects are, or nothing starts. */
class SeveralDataSourcesTest {

    private static final String CUSTOMERS = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    private static final String BILLS = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

    private final ApplicationContextRunner runner = Runners.h2();

    @Configuration(proxyBeanMethods = false)
    static class Unmarked {
        @Bean
        DataSource customers() {
            return new DriverManagerDataSource(CUSTOMERS);
        }

        @Bean
        DataSource bills() {
            return new DriverManagerDataSource(BILLS);
        }

        @Bean
        JdbcTransactionManager ofBills(@Qualifier("bills") DataSource bills) {
            return new JdbcTransactionManager(bills);
        }

        @KafkaListener(id = "billing", topics = "orders")
        @Idempotent("billing")
        void charge(String bill) {}
    }

    @Test
    void refusesToChooseBetweenTwoAndSaysHowToMarkOne() {
        Runners.refuses(
                runner,
                Unmarked.class,
                "The store table of",
                "is not there: there are several data sources, customers, bills, and none of them is marked with"
                        + " @IdempotencyDataSource or primary");
    }

    @Configuration(proxyBeanMethods = false)
    static class Marked {

        @Bean
        @Primary
        DataSource customers() {
            return new DriverManagerDataSource(CUSTOMERS);
        }

        @Bean
        @IdempotencyDataSource
        DataSource bills() {
            return new DriverManagerDataSource(BILLS);
        }

        @Bean
        @Primary
        JdbcTransactionManager ofCustomers(DataSource customers) {
            return new JdbcTransactionManager(customers);
        }

        @Bean
        JdbcTransactionManager ofBills(@Qualifier("bills") DataSource bills) {
            return new JdbcTransactionManager(bills);
        }

        @Bean
        DefaultErrorHandler errors() {
            return new DefaultErrorHandler(new FixedBackOff(0, 2));
        }

        @Bean
        Bills billing(@IdempotencyDataSource DataSource bills, KafkaTemplate<Object, Object> producer) {
            return new Bills(new JdbcTemplate(bills), producer);
        }
    }

    static class Bills {

        private final JdbcTemplate jdbc;
        private final KafkaTemplate<Object, Object> producer;
        private int calls;

        Bills(JdbcTemplate jdbc, KafkaTemplate<Object, Object> producer) {
            this.jdbc = jdbc;
            this.producer = producer;
            jdbc.execute("create table if not exists bill (name varchar(100))");
        }

        @KafkaListener(id = "billing", topics = "${topic}")
        @Idempotent("billing")
        void charge(String bill) {
            jdbc.update("insert into bill values (?)", bill);
            if (calls++ == 0) {
                throw new IllegalStateException("scripted");
            }
        }

        void send(String topic, String bill) {
            producer.send(topic, bill).join();
        }

        long count(String sql) {
            Long count = jdbc.queryForObject(sql, Long.class);
            return count == null ? 0 : count;
        }
    }

    @Test
    void claimsAndEffectsCommitTogetherInTheOneThatIsMarked() {
        String topic = TestServers.name();
        TestServers.createTopic(topic);
        runner.withUserConfiguration(Marked.class)
                .withPropertyValues(
                        "topic=" + topic,
                        "spring.kafka.bootstrap-servers=" + TestServers.bootstrapServers(),
                        "spring.kafka.listener.auto-startup=true")
                .run(context -> {
                    assertThat(context).hasNotFailed().hasSingleBean(TableStore.class);
                    Bills bills = context.getBean(Bills.class);
                    bills.send(topic, "first");

                    await().untilAsserted(() -> {
                        assertThat(bills.count("select count(*) from bill")).isEqualTo(1);
                        assertThat(bills.count("select count(*) from idempotency_message"))
                                .isEqualTo(1);
                    });
                    assertThat(bills.calls).isEqualTo(2);
                    assertThat(new JdbcTemplate(context.getBean("customers", DataSource.class))
                                    .queryForObject(
                                            "select count(*) from information_schema.tables where table_name like 'IDEMPOTENCY%'",
                                            Long.class))
                            .isZero();
                });
    }

    @Configuration(proxyBeanMethods = false)
    static class Wrapped {

        private final DataSource pool = new DriverManagerDataSource(BILLS);

        @Bean
        DataSource bills() {
            return new DelegatingDataSource(pool);
        }

        @Bean
        JdbcTransactionManager ofThePool() {
            return new JdbcTransactionManager(pool);
        }

        @KafkaListener(id = "billing", topics = "orders")
        @Idempotent("billing")
        void charge(String bill) {}
    }

    /** The claims would join its transactions, effects through the bean would not. */
    @Test
    void refusesAManagerOfTheDataSourceThatTheBeanWraps() {
        Runners.refuses(
                runner, Wrapped.class, "No transaction manager manages the data source", "this very data source");
    }
}

package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageReader;
import io.idempotency.TransactionPer;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.spring.PostgresWire.Transaction;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** What a transaction costs with each transaction manager, counted between driver and PostgreSQL. docs/spring-boot.md has these rows. */
class RoundTripsTest {

    private static final String EFFECT = "insert into effect values (?)";

    /** Until then the driver has prepared all statements on the server. */
    private static final int WARM = 12;

    private static PostgresWire wire;

    @BeforeAll
    static void start() throws IOException {
        wire = new PostgresWire(TestServers.database());
    }

    @AfterAll
    static void close() throws IOException {
        wire.close();
    }

    private static ApplicationContextRunner application() {
        return Runners.withoutDatabase()
                .withConfiguration(AutoConfigurations.of(
                        DataSourceAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        IdempotencyTransactionAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        TransactionAutoConfiguration.class))
                .withPropertyValues("spring.datasource.url=" + wire.url(), "idempotency.schema.mode=always");
    }

    @Test
    void isThreeWithTheManagerOfTheStarter() {
        application().run(context -> {
            assertThat(context.getBean(PlatformTransactionManager.class).getClass())
                    .isNotEqualTo(JdbcTransactionManager.class);
            requireRow(context, "that of the starter, where Spring Boot would create its own");
        });
    }

    @Configuration(proxyBeanMethods = false)
    static class Users {
        @Bean
        JdbcTransactionManager users(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }
    }

    @Test
    void isOneMoreWithAManagerOfTheApplication() {
        application()
                .withUserConfiguration(Users.class)
                .run(context -> requireRow(context, "a `JdbcTransactionManager` of your own"));
    }

    @Test
    void isOneMoreWithJpa() {
        application()
                .withConfiguration(AutoConfigurations.of(HibernateJpaAutoConfiguration.class))
                .run(context -> {
                    assertThat(context.getBean(PlatformTransactionManager.class))
                            .isInstanceOf(JpaTransactionManager.class);
                    requireRow(context, "that of JPA");
                });
    }

    @Test
    void isThreeByHand() {
        application().withUserConfiguration(Users.class).run(context -> {
            JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
            jdbc.execute("create table if not exists effect (message_id varchar(255))");
            jdbc.execute("create table if not exists by_hand (message_id varchar(255) primary key)");
            TransactionTemplate transactions = new TransactionTemplate(context.getBean(JdbcTransactionManager.class));
            for (int i = 0; i < WARM; i++) {
                transactions.executeWithoutResult(status -> {
                    String id = UUID.randomUUID().toString();
                    jdbc.update("insert into by_hand values (?) on conflict do nothing", id);
                    jdbc.update(EFFECT, id);
                });
            }
            requireDocumented("| without the library, an insert by hand | " + cost(wire.last("by_hand")) + " | |");
        });
    }

    private static void requireRow(AssertableApplicationContext context, String manager) throws IOException {
        context.getBean(JdbcTemplate.class).execute("create table if not exists effect (message_id varchar(255))");
        Transaction table = consumed(context, context.getBean(TableStore.class));
        Transaction journal = consumed(context, context.getBean(JournalStore.class));
        requireDocumented("| " + manager + " | " + cost(table) + " | " + cost(journal) + " |");
    }

    private static String cost(Transaction transaction) {
        return transaction.roundTrips() + " (" + transaction.statements().size() + ")";
    }

    /** Returns the last transaction of several, each with one new message and one statement of its handler. */
    private static Transaction consumed(AssertableApplicationContext context, ClaimStore store) {
        wire.forget();
        JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
        try (IdempotentConsumer<Integer> consumer = IdempotentConsumer.<Integer>named(TestServers.name())
                .store(store)
                .transactionPer(TransactionPer.RECORD)
                .messageId(number -> Optional.of(TestServers.name()))
                .reader(new Numbers())
                .build()) {
            IntStream.range(0, WARM)
                    .forEach(number -> consumer.consumeAll(
                            List.of(number),
                            (each, claim) ->
                                    jdbc.update(EFFECT, claim.delivery().id().value())));
        }
        return wire.last(EFFECT.replace("?", "$1"));
    }

    /** Numbers are offsets. */
    private static final class Numbers implements MessageReader<Integer> {

        @Override
        public Position position(Integer number) {
            return new Position("numbers", 0, number);
        }

        @Override
        public Payload payload(Integer number) {
            return Payload.none(Payload.Origin.POSITION_ONLY);
        }
    }

    private static void requireDocumented(String row) throws IOException {
        assertThat(Files.readString(Path.of("../docs/spring-boot.md"))).contains(row);
    }
}

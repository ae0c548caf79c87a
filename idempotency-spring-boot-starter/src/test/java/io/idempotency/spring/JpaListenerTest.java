package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.TransactionPer;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.SequenceGenerator;
import jakarta.persistence.Table;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.hibernate.jpa.HibernateHints;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Entities and claims commit together: Hibernate writes at the end of the transaction that the claim is in. */
class JpaListenerTest {

    enum Kind {
        RECORD,
        TRANSACTIONAL,
        POLL,
        BATCH
    }

    private static final ListenerBench bench = new ListenerBench();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");
    private static final List<BenchTopic> accounts =
            List.of(bench.topic("RECORD_ACCOUNT"), bench.topic("POLL_ACCOUNT"));

    private static final BenchTopic catching = bench.topic("CATCHING");
    private static final BenchTopic caught = bench.topic("CATCHING-dlt");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Services.class, Listeners.class, Catching.class);
        bench.jdbc().execute("create table if not exists account (id varchar(20) primary key, amount int)");
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    /** An effect as an entity. */
    @Entity
    @Table(name = "effect")
    static class Effect {

        @Id
        @GeneratedValue(strategy = GenerationType.SEQUENCE, generator = "effect")
        @SequenceGenerator(name = "effect", sequenceName = "effect_number_seq", allocationSize = 1)
        @Nullable
        Long number;

        String value;

        @SuppressWarnings("NullAway.Init") // Hibernate sets the fields
        Effect() {}

        Effect(String value) {
            this.value = value;
        }
    }

    /** A row that several messages change. */
    @Entity
    @Table(name = "account")
    static class Account {

        @Id
        String id = "";

        int amount;
    }

    static class Listeners {

        private final EntityManager entities;
        private final JdbcTemplate jdbc;

        Listeners(EntityManager entities, JdbcTemplate jdbc) {
            this.entities = entities;
            this.jdbc = jdbc;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("record")
        public void record(String value) {
            persist(value);
        }

        @KafkaListener(id = "TRANSACTIONAL", groupId = "${topic}-TRANSACTIONAL", topics = "${topic}-TRANSACTIONAL")
        @Idempotent("transactional")
        @Transactional
        public void transactional(String value) {
            persist(value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        @Transactional
        public void poll(String value) {
            persist(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        public void batch(List<String> values) {
            values.forEach(this::persist);
        }

        @KafkaListener(id = "RECORD_ACCOUNT", groupId = "${topic}-RECORD_ACCOUNT", topics = "${topic}-RECORD_ACCOUNT")
        @Idempotent("record-account")
        public void recordAccount(String value) {
            change(value);
        }

        @KafkaListener(id = "POLL_ACCOUNT", groupId = "${topic}-POLL_ACCOUNT", topics = "${topic}-POLL_ACCOUNT")
        @Idempotent(value = "poll-account", transactionPer = TransactionPer.POLL)
        public void pollAccount(String value) {
            change(value);
        }

        /** Changes an account in one of the ways that JPA has: {@code way:account:amount}. */
        private void change(String value) {
            String[] parts = value.split(":", -1);
            String account = parts[1];
            int amount = Integer.parseInt(parts[2]);
            switch (parts[0]) {
                case "entity" -> entities.find(Account.class, account).amount += amount;
                case "look" ->
                    assertThat(entities.createQuery("from JpaListenerTest$Account where id = :id", Account.class)
                                    .setParameter("id", account)
                                    .setHint(HibernateHints.HINT_READ_ONLY, true)
                                    .getResultList())
                            .hasSize(1);
                case "query" ->
                    entities.createQuery("update JpaListenerTest$Account set amount = amount + :amount where id = :id")
                            .setParameter("amount", amount)
                            .setParameter("id", account)
                            .executeUpdate();
                default -> jdbc.update("update account set amount = amount + ? where id = ?", amount, account);
            }
        }

        private void persist(String value) {
            entities.persist(new Effect(value));
            if (value.endsWith("bad")) {
                throw new IllegalStateException(value);
            }
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Services {

        @Bean
        Service service(EntityManager entities) {
            return new Service(entities);
        }
    }

    static class Service {

        private final EntityManager entities;

        Service(EntityManager entities) {
            this.entities = entities;
        }

        @Transactional
        public void fail() {
            throw new IllegalStateException("no such customer");
        }

        /** As {@code saveAndFlush} does. */
        @Transactional
        public void save(String value) {
            entities.createNativeQuery("insert into refused (value) values (null)")
                    .executeUpdate();
        }

        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public void saveApart(String value) {
            save(value);
        }

        @Transactional(propagation = Propagation.NESTED)
        public void saveNested(String value) {
            save(value);
        }
    }

    /** Goes on after a failure. */
    static class Catching {

        private final Service service;
        private final Effects.Ledger ledger;
        private final JdbcTemplate jdbc;

        Catching(Service service, Effects.Ledger ledger, JdbcTemplate jdbc) {
            this.service = service;
            this.ledger = ledger;
            this.jdbc = jdbc;
            jdbc.execute("alter table refused alter column value set not null");
        }

        @KafkaListener(id = "CATCHING", groupId = "${topic}-CATCHING", topics = "${topic}-CATCHING")
        @Idempotent("catching")
        public void handle(String value) {
            if (value.equals("c:nested")) {
                service.saveNested(value);
            }
            try {
                switch (value) {
                    case "c:service" -> service.fail();
                    case "c:saved" -> service.save(value);
                    case "c:statement", "c:goes-on" -> jdbc.update("insert into refused (value) values (null)");
                    default -> service.saveApart(value);
                }
            } catch (RuntimeException e) {
                ledger.calls.add(value + " failed");
                if (value.equals("c:saved") || value.equals("c:statement")) {
                    return;
                }
            }
            ledger.post(value);
        }
    }

    /** Without a transaction around, each would go on; the way out is in the message. */
    @Test
    @Tag("rule-1.15")
    void namesTheFailureThatAListenerCaughtAndTheWayOut() {
        catching.sendAll(0, "c:service", "c:saved", "c:nested", "c:statement", "c:goes-on", "c:apart");

        catching.awaitSettled();
        assertThat(bench.effects("c:")).containsExactly("c:apart");
        Map<String, String> said = new HashMap<>();
        Map<String, String> traces = new HashMap<>();
        caught.read().forEach(record -> {
            said.put(record.value(), BenchTopic.header(record, "kafka_dlt-exception-message"));
            traces.put(record.value(), BenchTopic.header(record, "kafka_dlt-exception-stacktrace"));
        });
        assertThat(said).containsOnlyKeys("c:service", "c:saved", "c:nested", "c:statement", "c:goes-on");
        assertThat(said.get("c:nested")).contains("nested transactions");
        assertThat(said.get("c:service")).contains("no such customer", "REQUIRES_NEW");
        assertThat(said.get("c:saved")).contains("null value in column", "REQUIRES_NEW");
        assertThat(said.get("c:statement")).contains("null value in column", "REQUIRES_NEW");
        // Its own next statement fails, and PostgreSQL's driver names the first one as the cause.
        assertThat(traces.get("c:goes-on")).contains("current transaction is aborted", "null value in column");
    }

    @ParameterizedTest
    @EnumSource
    void commitsEntitiesWithTheirClaimsOrNeither(Kind kind) {
        assertThat(bench.bean(PlatformTransactionManager.class)).isInstanceOf(JpaTransactionManager.class);
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":";
        bench.ledger().refuseCommitOf(value + 2);

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + "bad", value + 2, value + 3, value + 1));
        topic.awaitSettled();
        bench.ledger().allowCommitOf(value + 2);
        topic.sendAll(1, value + 2, value + 3);

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 3, value + 2);
        assertThat(deadLetters.apply(kind).values()).containsExactly(value + "bad", value + 2);
    }

    /** The records of a poll share a transaction, but no persistence context. */
    @ParameterizedTest
    @CsvSource({
        "entity:1 query:10 entity:100, 111",
        "entity:1 jdbc:10 entity:100, 111",
        "jdbc:1 entity:10 jdbc:100, 111",
        "look:0 entity:100, 100",
        "look:0 jdbc:10 look:0 query:1 entity:100, 111"
    })
    @Tag("rule-1.12")
    void changesARowAsIfEachRecordHadATransactionOfItsOwn(String changes, int amount) {
        for (BenchTopic topic : accounts) {
            String account = topic.kind.charAt(0) + Integer.toHexString(changes.hashCode());
            bench.jdbc().update("insert into account (id, amount) values (?, 0)", account);

            topic.whileStopped(() -> {
                int number = 0;
                for (String change : changes.split(" ", -1)) {
                    String[] parts = change.split(":", -1);
                    topic.send(0, account + "-" + number++, parts[0] + ":" + account + ":" + parts[1]);
                }
            });

            topic.awaitSettled();
            assertThat(bench.jdbc().queryForObject("select amount from account where id = ?", Integer.class, account))
                    .as(topic.kind)
                    .isEqualTo(amount);
        }
    }

    @Tag("rule-9.20")
    @ParameterizedTest
    @EnumSource
    void isCommittedByAReplay(Kind kind) {
        String value = "replayed:" + kind;

        assertThat(bench.replay(kind.name().toLowerCase(Locale.ROOT), topics.apply(kind), value)
                        .progress()
                        .processed())
                .isEqualTo(1);

        assertThat(bench.effects(value)).containsExactly(value);
    }
}

package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.TransactionPer;
import io.idempotency.jdbc.Schema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.kafka.annotation.KafkaListener;

/** Two tenants with a database each: a record scope says whose record it is before the claim takes a connection. */
@Tag("rule-1.16")
class TenantTest {

    enum Kind {
        RECORD,
        POLL,
        BATCH
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa().with("idempotency.schema.mode=none");
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Tenants.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    /** The tenant stands in front of the value. */
    private static String tenantOf(String value) {
        return value.substring(0, value.indexOf('/'));
    }

    @Configuration(proxyBeanMethods = false)
    static class Tenants implements RecordScope {

        private static final ThreadLocal<@Nullable Object> CURRENT = new ThreadLocal<>();

        @Override
        public Object of(ConsumerRecord<?, ?> record) {
            String tenant = tenantOf(String.valueOf(record.value()));
            if (!List.of("red", "blue").contains(tenant)) {
                throw new IllegalStateException("no such tenant: " + tenant);
            }
            return tenant;
        }

        @Override
        public Entered enter(Object tenant) {
            CURRENT.set(tenant);
            return CURRENT::remove;
        }

        @Bean
        static Routing dataSource() {
            Routing routing = new Routing();
            Map<Object, Object> databases = new HashMap<>();
            for (String tenant : List.of("none", "red", "blue")) {
                DataSource database = new DriverManagerDataSource(TestServers.database());
                Schema.on(database).migrate();
                new JdbcTemplate(database).execute("create table of_tenant (value varchar(100))");
                databases.put(tenant, database);
            }
            routing.setTargetDataSources(databases);
            return routing;
        }
    }

    static class Routing extends AbstractRoutingDataSource {

        @Override
        protected Object determineCurrentLookupKey() {
            Object tenant = Tenants.CURRENT.get();
            return tenant == null ? "none" : tenant;
        }

        List<String> effects(String tenant, String prefix) {
            return new JdbcTemplate(
                            Objects.requireNonNull(getResolvedDataSources().get(tenant)))
                    .queryForList("select value from of_tenant where value like ?", String.class, "%" + prefix + "%");
        }
    }

    static class Listeners {

        private final JdbcTemplate jdbc;
        private final List<List<String>> batches = new CopyOnWriteArrayList<>();

        Listeners(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("record")
        public void record(String value) {
            jdbc.update("insert into of_tenant values (?)", value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        public void poll(String value) {
            record(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        public void batch(List<String> values) {
            batches.add(new ArrayList<>(values));
            values.forEach(this::record);
        }
    }

    @ParameterizedTest
    @EnumSource
    void claimsAndHandlesEachRecordInTheDatabaseOfItsTenant(Kind kind) {
        BenchTopic topic = topics.apply(kind);

        topic.whileStopped(() -> topic.sendAll(
                0,
                "red/" + kind + 1,
                "red/" + kind + 2,
                "blue/" + kind + 1,
                "green/" + kind + 1,
                "red/" + kind + 1,
                "blue/" + kind + 2));
        topic.awaitSettled();

        Routing routing = bench.bean(Routing.class);
        assertThat(routing.effects("red", kind.name())).containsExactly("red/" + kind + 1, "red/" + kind + 2);
        assertThat(routing.effects("blue", kind.name())).containsExactly("blue/" + kind + 1, "blue/" + kind + 2);
        assertThat(routing.effects("none", kind.name())).isEmpty();
        assertThat(deadLetters.apply(kind).values()).containsExactly("green/" + kind + 1);
        assertThat(bench.bean(Listeners.class).batches)
                .allSatisfy(batch -> assertThat(
                                batch.stream().map(TenantTest::tenantOf).distinct())
                        .hasSize(1));
    }
}

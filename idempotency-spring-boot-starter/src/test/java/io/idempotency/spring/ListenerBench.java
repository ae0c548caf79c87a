package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * An application with listeners and a database of its own. A listener with the id <i>kind</i> listens to the topic {@code ${topic}-kind},
 * as a group of that name; see {@link BenchTopic}.
 */
final class ListenerBench implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofSeconds(20);

    final String topic = TestServers.name();
    final Map<String, Object> kafka = Map.of("bootstrap.servers", TestServers.bootstrapServers());
    final KafkaProducer<String, String> producer = new KafkaProducer<>(
            Map.of("bootstrap.servers", TestServers.bootstrapServers(), "max.in.flight.requests.per.connection", 1),
            new StringSerializer(),
            new StringSerializer());
    final Admin admin = Admin.create(kafka);
    private final List<String> properties = new ArrayList<>(List.of(
            "spring.main.banner-mode=off",
            "spring.kafka.bootstrap-servers=" + TestServers.bootstrapServers(),
            "spring.kafka.consumer.auto-offset-reset=earliest",
            "spring.kafka.consumer.properties[max.poll.records]=10",
            "spring.kafka.consumer.fetch-max-wait=50ms",
            "spring.kafka.listener.poll-timeout=100ms",
            "spring.kafka.listener.concurrency=1",
            "spring.datasource.url=${database}",
            "spring.datasource.hikari.minimum-idle=1",
            "spring.flyway.enabled=false",
            "idempotency.schema.mode=always",
            "idempotency.purge.enabled=false",
            "idempotency.cache.size=0",
            "topic=" + topic));
    private String database = "";
    private @Nullable ConfigurableApplicationContext application;

    /** Adds properties; of two values of one property the later one holds. */
    ListenerBench with(String... more) {
        properties.addAll(List.of(more));
        return this;
    }

    /** Uses a MariaDB instead of a PostgreSQL. */
    ListenerBench onMariaDb() {
        database = MariaDbServer.database();
        return this;
    }

    /** Leaves Hibernate out, so that the transaction manager is plain JDBC's. */
    ListenerBench withoutJpa() {
        return with("spring.autoconfigure.exclude="
                + "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration,"
                + "org.springframework.boot.data.jpa.autoconfigure.DataJpaRepositoriesAutoConfiguration");
    }

    /** Creates the topic of a listener. */
    BenchTopic topic(String kind) {
        return new BenchTopic(this, kind);
    }

    /** Creates the topics of listeners whose ids are the constants, with an ending. */
    <K extends Enum<K>> Function<K, BenchTopic> topics(Class<K> kinds, String ending) {
        Map<K, BenchTopic> topics = new EnumMap<>(kinds);
        for (K kind : kinds.getEnumConstants()) {
            topics.put(kind, topic(kind.name() + ending));
        }
        return kind -> Objects.requireNonNull(topics.get(kind));
    }

    /** Starts the application, or starts it again. */
    ListenerBench start(Class<?>... sources) {
        stop();
        application = builder(sources).run();
        return this;
    }

    SpringApplicationBuilder builder(Class<?>... sources) {
        List<Class<?>> all = new ArrayList<>(List.of(Effects.class));
        all.addAll(List.of(sources));
        if (database.isEmpty()) {
            database = TestServers.database();
        }
        return new SpringApplicationBuilder(all.toArray(Class<?>[]::new))
                .web(WebApplicationType.NONE)
                .properties(properties.toArray(String[]::new))
                .properties("database=" + database);
    }

    void stop() {
        if (application != null) {
            SpringApplication.exit(application);
            application = null;
        }
    }

    <T> T bean(Class<T> type) {
        return application().getBean(type);
    }

    Effects.Ledger ledger() {
        return bean(Effects.Ledger.class);
    }

    ConfigurableApplicationContext application() {
        return Objects.requireNonNull(application);
    }

    /** Returns the committed effects that begin like this, in order. */
    List<String> effects(String prefix) {
        return jdbc().queryForList(
                        "select value from effect where value like ? order by number", String.class, prefix + "%");
    }

    /** Puts a message with this value and id into quarantine, and waits until it is replayed. */
    Replay replay(String consumer, BenchTopic of, String value) {
        byte[] bytes = value.getBytes(UTF_8);
        List<Payload.Header> headers = List.of(new Payload.Header("message-id", bytes));
        bean(QuarantineStore.class)
                .save(new QuarantinedMessage(
                        new Delivery(new MessageId(consumer, value), new Position(of.name, 1, 1_000_000)),
                        new Payload(bytes, bytes, headers, Payload.Origin.RAW),
                        new QuarantineFailure("some.Failure", "A", "text"),
                        1));
        return replay(consumer);
    }

    /** Replays all that is in quarantine. */
    Replay replay(String consumer) {
        ReplayStore replays = bean(ReplayStore.class);
        Replay begun = replays.request(ReplayRequest.of(QuarantineSelection.of(consumer))
                .perSecond(10_000)
                .acceptRepeatedEffects());
        return awaitEnd(begun.request().id());
    }

    Replay awaitEnd(String replay) {
        ReplayStore replays = bean(ReplayStore.class);
        await().until(() -> replays.find(replay).orElseThrow().status().hasEnded());
        return replays.find(replay).orElseThrow();
    }

    JdbcTemplate jdbc() {
        return bean(JdbcTemplate.class);
    }

    /** Waits until a statement waits for another transaction. */
    void awaitBlockedStatement() {
        await().until(() -> !jdbc().queryForList(
                        "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                .isEmpty());
    }

    static ConditionFactory await() {
        return Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20));
    }

    @Override
    public void close() {
        stop();
        producer.close();
        admin.close();
    }
}

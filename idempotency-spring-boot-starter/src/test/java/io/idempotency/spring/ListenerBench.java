package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;

/** An application with listeners on a topic and a database of its own: what is sent to it, and the effects it had. */
final class ListenerBench implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofSeconds(60);

    final String topic = TestServers.topic();
    private final String url = TestServers.database();
    private final List<String> properties = new ArrayList<>(List.of(
            "spring.main.banner-mode=off",
            "spring.kafka.bootstrap-servers=" + TestServers.bootstrapServers(),
            "spring.kafka.consumer.auto-offset-reset=earliest",
            "spring.kafka.consumer.properties[max.poll.records]=10",
            "spring.kafka.listener.poll-timeout=200ms",
            "spring.datasource.url=" + url,
            "idempotency.schema.mode=always",
            "idempotency.purge.enabled=false",
            "topic=" + topic));
    private final KafkaProducer<String, String> producer = new KafkaProducer<>(
            Map.of("bootstrap.servers", TestServers.bootstrapServers()),
            new StringSerializer(),
            new StringSerializer());
    private @Nullable ConfigurableApplicationContext application;

    ListenerBench with(String... more) {
        properties.addAll(List.of(more));
        return this;
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
        return new SpringApplicationBuilder(all.toArray(Class<?>[]::new))
                .web(WebApplicationType.NONE)
                .properties(properties.toArray(String[]::new));
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

    ConfigurableApplicationContext application() {
        return Objects.requireNonNull(application);
    }

    /** Sends a message; returns where it stands. */
    long send(int partition, String id, String value) {
        ProducerRecord<String, String> record = new ProducerRecord<>(topic, partition, "key", value);
        record.headers().add("message-id", id.getBytes(UTF_8));
        return send(record);
    }

    long send(ProducerRecord<String, String> record) {
        try {
            return producer.send(record).get().offset();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    List<String> effects() {
        return jdbc().queryForList("select value from effect order by number", String.class);
    }

    JdbcTemplate jdbc() {
        return bean(JdbcTemplate.class);
    }

    /** Waits until the group has committed what is behind every record of the topic. */
    void awaitCommitted(String group, long... ends) {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", TestServers.bootstrapServers()))) {
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
                Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(group)
                        .partitionsToOffsetAndMetadata()
                        .get();
                for (int partition = 0; partition < ends.length; partition++) {
                    OffsetAndMetadata offset = committed.get(new TopicPartition(topic, partition));
                    long reached = offset == null ? 0 : offset.offset();
                    if (reached != ends[partition]) {
                        throw new AssertionError("Partition " + partition + " is committed up to " + reached + ", not "
                                + ends[partition]);
                    }
                }
            });
        }
    }

    /** Sets what the group has committed, as if the commits behind had been lost; its listeners must be stopped. */
    void rewind(String group, long... offsets) {
        Map<TopicPartition, OffsetAndMetadata> all = new java.util.HashMap<>();
        for (int partition = 0; partition < offsets.length; partition++) {
            all.put(new TopicPartition(topic, partition), new OffsetAndMetadata(offsets[partition]));
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", TestServers.bootstrapServers()))) {
            Awaitility.await().atMost(PATIENCE).ignoreExceptions().until(() -> {
                admin.alterConsumerGroupOffsets(group, all).all().get();
                return true;
            });
        }
    }

    @Override
    public void close() {
        stop();
        producer.close();
    }
}

package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.micrometer.MeterNames;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.MessageListenerContainer;

/** A running node of a {@link MonitoredShop}, which can be scraped. */
final class MonitoredNode implements AutoCloseable {

    static final List<String> CONSUMERS = List.of("billing", "mails", "ledger", "watched");

    /** What the nodes of a shop share: topics, and a database. */
    static final class Site implements AutoCloseable {

        final String topic = "shop-" + UUID.randomUUID();
        final String database = WebServers.url(WebServers.database());
        private final Map<String, Object> kafka = Map.of("bootstrap.servers", WebServers.bootstrapServers());
        private final KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", WebServers.bootstrapServers(), "max.in.flight.requests.per.connection", 1),
                new StringSerializer(),
                new StringSerializer());
        final Admin admin = Admin.create(kafka);

        Site() {
            WebServers.topics(CONSUMERS.stream().map(this::topic).toList());
        }

        String topic(String consumer) {
            return topic + "-" + consumer;
        }

        /** Sends messages whose values are their ids, to one partition. */
        void send(String consumer, String... values) {
            List<Future<?>> sent = new ArrayList<>();
            for (String value : values) {
                sent.add(sending(consumer, value, value, System.currentTimeMillis()));
            }
            sent.forEach(MonitoredNode::done);
        }

        private Future<?> sending(String consumer, String id, String value, long timestamp) {
            ProducerRecord<String, String> record = new ProducerRecord<>(topic(consumer), 0, timestamp, "key", value);
            record.headers().add("message-id", id.getBytes(UTF_8));
            return producer.send(record);
        }

        /** Sends a message as it was sent then. */
        void send(String consumer, String id, String value, Instant then) {
            done(sending(consumer, id, value, then.toEpochMilli()));
        }

        /** Waits until the groups have committed all that is in the topics. */
        void awaitSettled() {
            await().untilAsserted(() -> {
                for (String consumer : CONSUMERS) {
                    long lag = lag(consumer);
                    if (lag != 0) {
                        throw new AssertionError(consumer + " lags by " + lag);
                    }
                }
            });
        }

        private long lag(String consumer) throws ExecutionException, InterruptedException {
            TopicPartition partition = new TopicPartition(topic(consumer), 0);
            long end = admin.listOffsets(Map.of(partition, OffsetSpec.latest()))
                    .partitionResult(partition)
                    .get()
                    .offset();
            OffsetAndMetadata committed = admin.listConsumerGroupOffsets(consumer(consumer))
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .get(partition);
            return end - (committed == null ? 0 : committed.offset());
        }

        String consumer(String consumer) {
            return topic + "." + consumer;
        }

        /** Sets the group of a consumer back to the first record. Its listener must not run. */
        void rewind(String consumer) {
            await().ignoreExceptions().until(() -> {
                admin.alterConsumerGroupOffsets(
                                consumer(consumer),
                                Map.of(new TopicPartition(topic(consumer), 0), new OffsetAndMetadata(0)))
                        .all()
                        .get();
                return true;
            });
        }

        @Override
        public void close() {
            producer.close();
            admin.close();
        }
    }

    private static Object done(Future<?> sent) {
        try {
            return sent.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    final Site site;
    private final ConfigurableApplicationContext application;

    MonitoredNode(Site site, String... properties) {
        this.site = site;
        Map<String, Object> all = new HashMap<>();
        for (String property : properties) {
            all.put(property.substring(0, property.indexOf('=')), property.substring(property.indexOf('=') + 1));
        }
        application = new SpringApplicationBuilder(MonitoredShop.class)
                .properties(
                        "server.port=0",
                        "spring.main.banner-mode=off",
                        "logging.level.root=ERROR",
                        // So that what is set back is asked of the store.
                        "idempotency.cache.size=0",
                        "spring.kafka.bootstrap-servers=" + WebServers.bootstrapServers(),
                        "spring.kafka.consumer.auto-offset-reset=earliest",
                        "spring.kafka.consumer.fetch-max-wait=50ms",
                        "spring.kafka.listener.poll-timeout=100ms",
                        "spring.datasource.url=" + site.database,
                        "spring.datasource.hikari.minimum-idle=1",
                        "idempotency.schema.mode=always",
                        "idempotency.journal.accept-missed-duplicates=true",
                        "idempotency.payload-check.policy=skip",
                        "idempotency.purge.interval=50ms",
                        "management.endpoints.web.exposure.include=prometheus",
                        "topic=" + site.topic)
                .properties(all)
                .run();
    }

    static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20));
    }

    <T> T bean(Class<T> type) {
        return application.getBean(type);
    }

    MonitoredShop.Script script() {
        return bean(MonitoredShop.Script.class);
    }

    JdbcTemplate jdbc() {
        return bean(JdbcTemplate.class);
    }

    /** Reads the meters as Prometheus does. */
    Scrape scrape() {
        URI address = URI.create("http://localhost:"
                + application.getEnvironment().getProperty("local.server.port") + "/actuator/prometheus");
        try {
            return Scrape.of(HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString())
                    .body());
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits until a purge has begun and succeeded after this moment. */
    void awaitPurge() {
        double before = purges();
        await().until(() -> purges() >= before + 2);
    }

    /** Waits until this node has counted the quarantine. */
    void awaitCount() {
        await().until(() ->
                !bean(MeterRegistry.class).find(MeterNames.QUARANTINED).gauges().isEmpty());
    }

    private double purges() {
        return bean(MeterRegistry.class)
                .get(MeterNames.PURGE_TIME)
                .tag("store", "table")
                .timer()
                .count();
    }

    void stop(String consumer) {
        container(consumer).stop();
        await().until(() -> !container(consumer).isRunning());
    }

    void start(String consumer) {
        container(consumer).start();
    }

    private MessageListenerContainer container(String consumer) {
        return Objects.requireNonNull(bean(KafkaListenerEndpointRegistry.class).getListenerContainer(consumer));
    }

    @Override
    public void close() {
        SpringApplication.exit(application);
    }
}

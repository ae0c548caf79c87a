package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.BatchHandler;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.MessageHandler;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordProcessor;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/** A running service: an idempotent consumer in a poll loop with a thread of its own. */
final class Service implements AutoCloseable {

    private final IdempotentConsumer<ConsumerRecord<String, String>> consumer;
    private final PollLoop<String, String> loop;
    private final Thread thread;
    private final String client;
    private final String group;
    private volatile @Nullable Throwable failure;

    private Service(
            Setup setup, IdempotentConsumer<ConsumerRecord<String, String>> consumer, PollLoop<String, String> loop) {
        this.consumer = consumer;
        this.loop = loop;
        this.client = String.valueOf(setup.properties.get("client.id"));
        this.group = String.valueOf(setup.properties.get("group.id"));
        this.thread = new Thread(loop, "service-" + client);
        thread.setUncaughtExceptionHandler((in, thrown) -> failure = thrown);
        thread.start();
    }

    static Setup of(Ledger ledger, String topic) {
        return at(Kafka.servers(), ledger, topic);
    }

    /** Sets up a service for the broker of another process. */
    static Setup at(String servers, Ledger ledger, String topic) {
        return new Setup(servers, ledger, topic);
    }

    /** The failure that ended the loop, if any. */
    Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** Waits until the condition holds; fails at once if the loop ends meanwhile. */
    void until(Callable<Boolean> condition) {
        eventually().until(() -> failure != null || condition.call());
        assertThat(failure()).isEmpty();
    }

    String group() {
        return group;
    }

    /** Returns how often the Kafka consumer took part in a rebalance. */
    double rebalances() {
        try {
            ObjectName metrics = new ObjectName("kafka.consumer:type=consumer-coordinator-metrics,client-id=" + client);
            return (double) ManagementFactory.getPlatformMBeanServer().getAttribute(metrics, "rebalance-total");
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        loop.close();
        consumer.close();
    }

    /** The settings of a service. */
    static final class Setup {

        private final Ledger ledger;
        private final String topic;
        private final Map<String, Object> properties = new HashMap<>();
        private UnaryOperator<IdempotentConsumerBuilder<ConsumerRecord<String, String>>> changes = builder -> builder;

        private Setup(String servers, Ledger ledger, String topic) {
            this.ledger = ledger;
            this.topic = topic;
            properties.put("bootstrap.servers", servers);
            properties.put("group.id", "group-" + ledger.consumer());
            properties.put("client.id", "client-" + UUID.randomUUID());
            properties.put("auto.offset.reset", "earliest");
            properties.put("isolation.level", "read_committed");
            properties.put("key.deserializer", StringDeserializer.class);
            properties.put("value.deserializer", StringDeserializer.class);
            properties.put("fetch.max.wait.ms", 100);
        }

        Setup property(String name, Object value) {
            properties.put(name, value);
            return this;
        }

        Setup with(UnaryOperator<IdempotentConsumerBuilder<ConsumerRecord<String, String>>> change) {
            changes = change;
            return this;
        }

        Service start(Watch watch, MessageHandler<ConsumerRecord<String, String>> handler) {
            IdempotentConsumer<ConsumerRecord<String, String>> consumer = consumer(watch);
            return start(consumer, RecordProcessor.of(consumer, handler));
        }

        Service startBatches(Watch watch, BatchHandler<ConsumerRecord<String, String>> handler) {
            IdempotentConsumer<ConsumerRecord<String, String>> consumer = consumer(watch);
            return start(consumer, RecordProcessor.batches(consumer, handler));
        }

        private IdempotentConsumer<ConsumerRecord<String, String>> consumer(Watch watch) {
            return changes.apply(KafkaRecords.<String, String>consumer(ledger.consumer())
                            .store(ledger.store())
                            .quarantine(watch)
                            .listener(watch))
                    .build();
        }

        private Service start(
                IdempotentConsumer<ConsumerRecord<String, String>> consumer,
                RecordProcessor<String, String> processor) {
            return new Service(
                    this,
                    consumer,
                    PollLoop.of(processor)
                            .properties(properties)
                            .topics(topic)
                            .pollTimeout(Duration.ofMillis(200))
                            .build());
        }
    }
}

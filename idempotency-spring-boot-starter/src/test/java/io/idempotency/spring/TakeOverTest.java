package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ContainerPostProcessor;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;

/** Two threads of a listener, one of which loses its partition while it works on a record of it. */
class TakeOverTest {

    enum Kind {
        EAGER,
        COOPERATIVE,
        CONSUMER_PROTOCOL,
        VIRTUAL_THREADS
    }

    private static final int FIRST_JAVA_WITH_VIRTUAL_THREADS = 21;
    private static final String SHORT = "max.poll.interval.ms=1000";
    private static final ListenerBench bench = new ListenerBench().withoutJpa().with("idempotency.claim-timeout=15s");
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

    @BeforeAll
    static void start() {
        bench.start(Threads.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Threads {

        @Bean
        ContainerPostProcessor<Object, Object, AbstractMessageListenerContainer<Object, Object>> virtual() {
            return container -> {
                if (Runtime.version().feature() >= FIRST_JAVA_WITH_VIRTUAL_THREADS) {
                    SimpleAsyncTaskExecutor executor = new SimpleAsyncTaskExecutor("virtual-");
                    executor.setVirtualThreads(true);
                    container.getContainerProperties().setListenerTaskExecutor(executor);
                }
            };
        }
    }

    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(
                id = "EAGER",
                groupId = "${topic}-EAGER",
                topics = "${topic}-EAGER",
                concurrency = "2",
                properties = {SHORT, "partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor"})
        @Idempotent("eager")
        void eager(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "COOPERATIVE",
                groupId = "${topic}-COOPERATIVE",
                topics = "${topic}-COOPERATIVE",
                concurrency = "2",
                properties = {
                    SHORT,
                    "partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor"
                })
        @Idempotent("cooperative")
        void cooperative(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "CONSUMER_PROTOCOL",
                groupId = "${topic}-CONSUMER_PROTOCOL",
                topics = "${topic}-CONSUMER_PROTOCOL",
                concurrency = "2",
                properties = {SHORT, "group.protocol=consumer"})
        @Idempotent("consumer-protocol")
        void consumerProtocol(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "VIRTUAL_THREADS",
                groupId = "${topic}-VIRTUAL_THREADS",
                topics = "${topic}-VIRTUAL_THREADS",
                concurrency = "2",
                containerPostProcessor = "virtual")
        @Idempotent("virtual-threads")
        void virtual(String value) {
            ledger.threads.put(value, Thread.currentThread().getName());
            ledger.post(value);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "VIRTUAL_THREADS")
    void whoTakesAPartitionOverWaitsAndSeesADuplicate(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":";
        CountDownLatch let = bench.ledger().hold(value + 2);
        topic.awaitAssigned();
        topic.sendAll(0, value + 1, value + 2, value + 3);
        ListenerBench.await().until(() -> bench.ledger().callsOf(value + 2) == 1);

        // The thread that works is given up after max.poll.interval.ms; the other one claims the same message.
        bench.awaitBlockedStatement();
        let.countDown();

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3);
        assertThat(bench.ledger().callsOf(value + 2)).isEqualTo(1);
    }

    @Test
    void runsOnVirtualThreads() {
        assumeThat(Runtime.version().feature())
                .as("Java %d has no virtual threads", Runtime.version().feature())
                .isGreaterThanOrEqualTo(FIRST_JAVA_WITH_VIRTUAL_THREADS);
        BenchTopic topic = topics.apply(Kind.VIRTUAL_THREADS);

        topic.sendAll(0, "virtual", "virtual");

        topic.awaitSettled();
        assertThat(bench.effects("virtual")).containsExactly("virtual");
        assertThat(bench.ledger().threads.get("virtual")).startsWith("virtual-");
    }
}

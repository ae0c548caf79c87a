package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalEventListener;

/** What a listener sends and does not wait for, by a producer that would keep it for a minute, is there when its message is settled. */
class OutputsTest {

    enum Kind {
        RECORD,
        POLL,
        BATCH,
        LEASE,
        ONCE,
        MEMORY
    }

    private static final String LINGER = "60000";
    private static final ListenerBench bench =
            new ListenerBench().with("spring.kafka.producer.properties[linger.ms]=" + LINGER);
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> outputs = bench.topics(Kind.class, "-out");
    private static final AtomicInteger flushes = new AtomicInteger();
    /** A flush goes on until also what others sent has arrived. */
    private static volatile CountDownLatch othersAreSent = new CountDownLatch(0);

    @BeforeAll
    static void start() {
        bench.start(Producers.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Producers {

        @Bean
        DefaultKafkaProducerFactoryCustomizer countingFlushes() {
            return factory -> count(factory);
        }

        @SuppressWarnings("unchecked")
        private static <K, V> void count(DefaultKafkaProducerFactory<K, V> factory) {
            factory.addPostProcessor(producer -> (Producer<K, V>) Proxy.newProxyInstance(
                    Producer.class.getClassLoader(), new Class<?>[] {Producer.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("flush")) {
                            flushes.incrementAndGet();
                            while (!othersAreSent.await(10, TimeUnit.MILLISECONDS)) {
                                method.invoke(producer, arguments);
                            }
                        }
                        return method.invoke(producer, arguments);
                    }));
        }

        /** Its factory is no bean. */
        @Bean(defaultCandidate = false)
        KafkaTemplate<String, String> madeByHand() {
            return new KafkaTemplate<>(new DefaultKafkaProducerFactory<>(
                    Map.of("bootstrap.servers", TestServers.bootstrapServers(), "linger.ms", LINGER),
                    new StringSerializer(),
                    new StringSerializer()));
        }
    }

    private static final class Posted extends ApplicationEvent {

        private static final long serialVersionUID = 1L;

        private final String output;
        private final String value;

        Posted(String output, String value) {
            super(value);
            this.output = output;
            this.value = value;
        }
    }

    /** Each writes, then sends without waiting. */
    static class Listeners {

        private final Effects.Ledger ledger;
        private final KafkaTemplate<Object, Object> template;
        private final KafkaTemplate<String, String> madeByHand;
        private final ApplicationEventPublisher events;

        Listeners(
                Effects.Ledger ledger,
                KafkaTemplate<Object, Object> template,
                @Qualifier("madeByHand") KafkaTemplate<String, String> madeByHand,
                ApplicationEventPublisher events) {
            this.ledger = ledger;
            this.template = template;
            this.madeByHand = madeByHand;
            this.events = events;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("record")
        void record(String value) {
            post(Kind.RECORD, value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            post(Kind.POLL, value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        void batch(List<String> values) {
            values.forEach(value -> post(Kind.BATCH, value));
        }

        @KafkaListener(id = "LEASE", groupId = "${topic}-LEASE", topics = "${topic}-LEASE")
        @Idempotent(value = "lease", level = ConsistencyLevel.AT_LEAST_ONCE)
        void lease(String value) {
            post(Kind.LEASE, value);
        }

        @KafkaListener(id = "ONCE", groupId = "${topic}-ONCE", topics = "${topic}-ONCE")
        @Idempotent(value = "once", level = ConsistencyLevel.AT_MOST_ONCE)
        void once(String value) {
            post(Kind.ONCE, value);
        }

        @KafkaListener(id = "MEMORY", groupId = "${topic}-MEMORY", topics = "${topic}-MEMORY")
        @Idempotent(value = "memory", store = "memory")
        void memory(String value) {
            post(Kind.MEMORY, value);
        }

        private void post(Kind kind, String value) {
            ledger.post(value);
            String output = outputs.apply(kind).name;
            if (value.contains("event")) {
                events.publishEvent(new Posted(output, value));
            } else if (value.contains("hand")) {
                CompletableFuture<?> unused = madeByHand.send(output, value);
            } else {
                CompletableFuture<?> unused = template.send(output, value);
            }
        }

        @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
        void send(Posted posted) {
            CompletableFuture<?> unused = template.send(posted.output, posted.value);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-6.5")
    void areSentWhenTheirMessageIsSettled(Kind kind) {
        settlesWithItsOutput(kind, kind + ":sent:");
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-6.5")
    void areSentByTemplatesWhoseFactoryIsNoBean(Kind kind) {
        settlesWithItsOutput(kind, kind + ":hand:");
    }

    @ParameterizedTest
    @EnumSource(names = {"RECORD", "POLL", "BATCH"})
    @Tag("rule-6.5")
    void areSentByListenersOfEventsBeforeTheCommit(Kind kind) {
        settlesWithItsOutput(kind, kind + ":event:");
    }

    private static void settlesWithItsOutput(Kind kind, String value) {
        BenchTopic topic = topics.apply(kind);

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 3));

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3);
        assertThat(outputs.apply(kind).values()).contains(value + 1, value + 2, value + 3);
    }

    /** It is the other order that loses: a commit that is refused behind the sending only repeats. */
    @Test
    @Tag("rule-6.5")
    void areSentBeforeTheCommit() {
        BenchTopic topic = topics.apply(Kind.RECORD);
        String value = "RECORD:refused";
        bench.ledger().refuseFirstCommitOf(value);

        topic.send(0, value, value);

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value);
        assertThat(outputs.apply(Kind.RECORD).values())
                .filteredOn(value::equals)
                .hasSize(2);
    }

    @Test
    void areAwaitedOnceForAPoll() {
        BenchTopic topic = topics.apply(Kind.POLL);
        String value = "POLL:flushed:";
        int before = flushes.get();

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 3, value + 4));

        topic.awaitSettled();
        assertThat(bench.effects(value)).hasSize(4);
        assertThat(flushes.get() - before).isEqualTo(1);
    }

    @Test
    void areAwaitedWithoutThoseOfOthers() {
        othersAreSent = new CountDownLatch(1);
        try {
            settlesWithItsOutput(Kind.RECORD, "RECORD:alone:");
        } finally {
            othersAreSent.countDown();
        }
    }

    @Test
    void areNotAwaitedIfSwitchedOff() {
        try (ListenerBench hasty = new ListenerBench()
                .withoutJpa()
                .with("spring.kafka.producer.properties[linger.ms]=" + LINGER, "idempotency.producer.await=false")) {
            BenchTopic topic = hasty.topic("HASTY");
            hasty.start(Hasty.class);

            topic.send(0, "hasty", "hasty");

            topic.awaitSettled();
            assertThat(hasty.effects("hasty")).containsExactly("hasty");
            assertThat(hasty.bean(Hasty.class).output.isDone()).isFalse();
        }
    }

    static class Hasty {

        private final Effects.Ledger ledger;
        private final KafkaTemplate<Object, Object> template;
        private volatile CompletableFuture<?> output = new CompletableFuture<>();

        Hasty(Effects.Ledger ledger, KafkaTemplate<Object, Object> template) {
            this.ledger = ledger;
            this.template = template;
        }

        @KafkaListener(id = "HASTY", groupId = "${topic}-HASTY", topics = "${topic}-HASTY")
        @Idempotent("hasty")
        void post(String value) {
            ledger.post(value);
            output = template.send(outputs.apply(Kind.RECORD).name, value);
        }
    }
}

package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.annotation.KafkaListener;

/** A listener that is slower than its polls are large: what it has settled is committed before they are done. */
class SlowPollTest {

    enum Kind {
        RECORD,
        REMAINING,
        CONSUMER_PROTOCOL,
        LEASED
    }

    /** A quarter of it is a second, which is what Kafka counts in. */
    private static final String INTERVAL = "max.poll.interval.ms=4000";

    private static final String SESSION = "session.timeout.ms=4000";

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(
                id = "RECORD",
                groupId = "${topic}-RECORD",
                topics = "${topic}-RECORD",
                properties = {INTERVAL, SESSION})
        @Idempotent("RECORD")
        void record(String value, Consumer<?, ?> consumer) {
            post(value, consumer);
        }

        @KafkaListener(
                id = "REMAINING",
                groupId = "${topic}-REMAINING",
                topics = "${topic}-REMAINING",
                containerFactory = "remaining",
                properties = {INTERVAL, SESSION})
        @Idempotent("REMAINING")
        void remaining(String value, Consumer<?, ?> consumer) {
            post(value, consumer);
        }

        @KafkaListener(
                id = "CONSUMER_PROTOCOL",
                groupId = "${topic}-CONSUMER_PROTOCOL",
                topics = "${topic}-CONSUMER_PROTOCOL",
                properties = {INTERVAL, "group.protocol=consumer"})
        @Idempotent("CONSUMER_PROTOCOL")
        void consumerProtocol(String value, Consumer<?, ?> consumer) {
            post(value, consumer);
        }

        @KafkaListener(
                id = "LEASED",
                groupId = "${topic}-LEASED",
                topics = "${topic}-LEASED",
                properties = {INTERVAL, SESSION})
        @Idempotent(value = "LEASED", level = ConsistencyLevel.AT_LEAST_ONCE)
        void leased(String value, Consumer<?, ?> consumer) {
            post(value, consumer);
        }

        private void post(String value, Consumer<?, ?> consumer) {
            ledger.post(value);
            if (value.endsWith("slow")) {
                ListenerBench.await().until(() -> secondsSincePoll(consumer) >= 2);
            }
        }

        private static double secondsSincePoll(Consumer<?, ?> consumer) {
            return consumer.metrics().entrySet().stream()
                    .filter(metric -> metric.getKey().name().equals("last-poll-seconds-ago"))
                    .mapToDouble(metric -> (double) metric.getValue().metricValue())
                    .findFirst()
                    .orElse(0);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-5.8")
    void commitsWhatIsSettledBeforeThePollIsDone(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":";
        AtomicLong committed = new AtomicLong();
        bench.ledger().then(value + 2, () -> {
            try {
                committed.set(topic.committed(0));
            } catch (ExecutionException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });

        topic.whileStopped(() -> topic.sendAll(0, value + "slow", value + 2, value + 3));

        topic.awaitSettled();
        assertThat(committed).hasValue(1);
        assertThat(bench.effects(value)).containsExactly(value + "slow", value + 2, value + 3);
        assertThat(bench.ledger().calls)
                .filteredOn(call -> call.startsWith(value))
                .hasSize(3);
        assertThat(bench.bean(Recovery.Attempts.class).of(value)).isEmpty();
    }
}

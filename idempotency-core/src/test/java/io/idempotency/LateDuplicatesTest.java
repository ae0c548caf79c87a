package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.LogCapture;
import io.idempotency.store.LeaseStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Duplicates that come so late that the next ones may come too late. */
@Tag("rule-8.13")
class LateDuplicatesTest {

    private final Bench bench = new Bench();
    private long nanos;

    private IdempotentConsumer<Message> consumer(Optional<Duration> retention) {
        LeaseStore store = (LeaseStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {LeaseStore.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("remembers")) {
                        return retention;
                    }
                    try {
                        return method.invoke(bench.store, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return bench.strong().store(store).cache(DuplicateCache.none()).build(() -> nanos);
    }

    private List<String> warningsAfter(IdempotentConsumer<Message> consumer, Duration... times) {
        try (LogCapture log = new LogCapture()) {
            consumer.consume(Message.of("a", 0, 0), bench::handle);
            for (Duration time : times) {
                bench.passTime(time);
                nanos += time.toNanos();
                consumer.consume(Message.of("a", 0, 1), bench::handle);
                consumer.consume(Message.of("a", 0, 2), bench::handle);
            }
            return log.warnings();
        }
    }

    @Test
    void warnsOfOneOlderThanHalfTheRetention() {
        assertThat(warningsAfter(consumer(Optional.of(Duration.ofDays(8))), Duration.ofDays(4), Duration.ofMinutes(1)))
                .singleElement()
                .asString()
                .contains(
                        "Duplicates come close to the horizon",
                        "billing/a at orders-0@1 came 96 h after its original",
                        "remembered for 192 h",
                        "idempotency.retention");
    }

    @Test
    void warnsOnceAnHour() {
        assertThat(warningsAfter(
                        consumer(Optional.of(Duration.ofDays(8))),
                        Duration.ofDays(5),
                        Duration.ofMinutes(59),
                        Duration.ofMinutes(1)))
                .hasSize(2);
    }

    @Test
    void warnsOfNothingIfTheRetentionIsNotKnown() {
        assertThat(warningsAfter(consumer(Optional.empty()), Duration.ofDays(5)))
                .isEmpty();
    }
}

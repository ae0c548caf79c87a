package io.idempotency.spring;

import java.time.Duration;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.jspecify.annotations.Nullable;

/**
 * How long a thread of a container works on what one poll returned. A container tells its listeners nothing of polls, so the Kafka consumer is
 * asked when the last one was; but only where the time may be over. Thread-safe.
 */
final class PollTime {

    private static final String LAST_POLL = "last-poll-seconds-ago";

    private final long mostNanos;
    private final LongSupplier nanoTime;
    /** When the last poll that is known began. */
    private final ThreadLocal<@Nullable Long> begun = new ThreadLocal<>();

    PollTime(Duration most, LongSupplier nanoTime) {
        this.mostNanos = most.toNanos();
        this.nanoTime = nanoTime;
    }

    /** Returns whether the thread has worked on its last poll for longer than it may; never, if the consumer does not tell. */
    boolean isOver(@Nullable Consumer<?, ?> consumer) {
        long now = nanoTime.getAsLong();
        Long since = begun.get();
        if (since == null || now - since >= mostNanos) {
            since = now - nanosSincePoll(consumer);
            begun.set(since);
        }
        return now - since >= mostNanos;
    }

    private static long nanosSincePoll(@Nullable Consumer<?, ?> consumer) {
        if (consumer != null) {
            for (Map.Entry<MetricName, ? extends Metric> metric :
                    consumer.metrics().entrySet()) {
                if (metric.getKey().name().equals(LAST_POLL)
                        && metric.getValue().metricValue() instanceof Double seconds) {
                    return Duration.ofSeconds(Math.max(0, seconds.longValue())).toNanos();
                }
            }
        }
        return 0;
    }
}

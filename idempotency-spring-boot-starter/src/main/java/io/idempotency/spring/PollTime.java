package io.idempotency.spring;

import java.time.Duration;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.jspecify.annotations.Nullable;

/**
 * Measures how long a thread of a container works on the records of one poll. A container does not tell its listeners about polls, so this asks the
 * Kafka consumer for the time of the last one, and only if the limit may be reached. Thread-safe.
 */
final class PollTime {

    private static final String LAST_POLL = "last-poll-seconds-ago";

    private final long mostNanos;
    private final LongSupplier nanoTime;
    /** The time of the last known poll. */
    private final ThreadLocal<@Nullable Long> begun = new ThreadLocal<>();

    PollTime(Duration most, LongSupplier nanoTime) {
        this.mostNanos = most.toNanos();
        this.nanoTime = nanoTime;
    }

    /** Returns whether the thread has used up the time for its last poll; false if the consumer does not know. */
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

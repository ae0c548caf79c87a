package io.idempotency.streams;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.Punctuator;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Deletes ids that are older than the retention: a part of the store at a time, so that the stream thread is not held up, and the whole store twice within the
 * retention. So the store holds at most one and a half times the ids of the retention. Not thread-safe.
 */
final class Purge implements Punctuator {

    private static final Duration LONGEST = Duration.ofMinutes(1);
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final int PARTS = 1_000;
    private static final int FEWEST = 1_000;

    private final KeyValueStore<Bytes, byte[]> store;
    private final Duration retention;
    private final ProcessingContext context;
    /** Where the next part begins. */
    private @Nullable Bytes next;

    Purge(KeyValueStore<Bytes, byte[]> store, Duration retention, ProcessingContext context) {
        this.store = store;
        this.retention = retention;
        this.context = context;
    }

    /** Returns how far apart two parts are. */
    static Duration interval(Duration retention) {
        Duration interval = retention.dividedBy(PARTS);
        if (interval.compareTo(LONGEST) > 0) {
            return LONGEST;
        }
        return interval.compareTo(SHORTEST) < 0 ? SHORTEST : interval;
    }

    @Override
    public void punctuate(long wallTime) {
        long streamTime = Seen.streamTime(context.currentStreamTimeMs(), wallTime);
        List<Bytes> old = new ArrayList<>();
        long left = part();
        try (KeyValueIterator<Bytes, byte[]> ids = store.range(next, null)) {
            next = null;
            while (ids.hasNext()) {
                KeyValue<Bytes, byte[]> id = ids.next();
                if (left-- == 0) {
                    next = id.key;
                    break;
                }
                if (!TopicNames.isTopic(id.key)
                        && Seen.of(id.value).age(streamTime, wallTime) >= retention.toMillis()) {
                    old.add(id.key);
                }
            }
        }
        old.forEach(store::delete);
    }

    private long part() {
        double share = 2.0 * interval(retention).toMillis() / retention.toMillis();
        return Math.max(FEWEST, (long) (share * store.approximateNumEntries()));
    }
}

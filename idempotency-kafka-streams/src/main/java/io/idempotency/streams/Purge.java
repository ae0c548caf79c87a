package io.idempotency.streams;

import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Goes through the store, deletes ids that are older than the retention, and tells a filter the others: a part of the store at a time, so that the stream thread is
 * not held up, and the whole store twice within the retention. So the store holds at most one and a half times the ids of the retention. The first pass is faster, so that the filter
 * is soon complete. Not thread-safe.
 */
final class Purge {

    private static final Logger LOG = LoggerFactory.getLogger(Deduplication.class);

    private static final Duration LONGEST = Duration.ofMinutes(1);
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final int PARTS = 1_000;
    private static final int FEWEST = 1_000;
    private static final Duration FIRST_PASS_INTERVAL = Duration.ofMillis(100);
    private static final int FIRST_PASS_PART = 10_000;

    private final KeyValueStore<Bytes, byte[]> store;
    private final Duration retention;
    private final ProcessingContext context;
    private final IdFilter filter;
    private @Nullable Cancellable firstPass;
    /** Where the next part begins. */
    private @Nullable Bytes next;

    Purge(KeyValueStore<Bytes, byte[]> store, Duration retention, ProcessingContext context, IdFilter filter) {
        this.store = store;
        this.retention = retention;
        this.context = context;
        this.filter = filter;
    }

    /** Goes on by itself from now on. */
    void start() {
        context.schedule(interval(), PunctuationType.WALL_CLOCK_TIME, now -> pass(now, part()));
        if (isEmpty()) {
            filter.begin(0);
            filter.end();
        } else if (store.persistent()) {
            firstPass = context.schedule(
                    FIRST_PASS_INTERVAL, PunctuationType.WALL_CLOCK_TIME, now -> pass(now, FIRST_PASS_PART));
        }
    }

    private boolean isEmpty() {
        try (KeyValueIterator<Bytes, byte[]> all = store.all()) {
            return !all.hasNext();
        }
    }

    private void pass(long wallTime, long part) {
        long streamTime = Seen.streamTime(context.currentStreamTimeMs(), wallTime);
        List<Bytes> old = new ArrayList<>();
        long left = part;
        if (next == null) {
            filter.begin(store.approximateNumEntries());
        }
        try (KeyValueIterator<Bytes, byte[]> ids = store.range(next, null)) {
            next = null;
            Bytes last = null;
            while (ids.hasNext()) {
                KeyValue<Bytes, byte[]> id = ids.next();
                checkOrder(last, id.key);
                last = id.key;
                if (left-- == 0) {
                    next = id.key;
                    break;
                }
                if (TopicNames.isTopic(id.key)) {
                    continue;
                }
                if (Seen.of(id.value).age(streamTime, wallTime) >= retention.toMillis()) {
                    old.add(id.key);
                } else {
                    filter.tell(id.key);
                }
            }
        }
        if (next == null) {
            end();
        } else {
            filter.tellTo(next);
        }
        old.forEach(store::delete);
    }

    /** Otherwise a pass would leave out ids, and the filter would take them for new. */
    private void checkOrder(@Nullable Bytes last, Bytes key) {
        if (last != null && last.compareTo(key) >= 0) {
            throw new IdempotencyException("The state store " + store.name()
                    + " does not return its entries in the order of the bytes of their keys, so the deduplication cannot go through it in parts."
                    + " Use Stores::persistentKeyValueStore or Stores::inMemoryKeyValueStore");
        }
    }

    private void end() {
        filter.end();
        if (firstPass != null) {
            firstPass.cancel();
            firstPass = null;
        }
        if (!filter.isWhole() && store.persistent()) {
            LOG.info(
                    "Deduplication {}: there is no memory left for the filter of {}, so each record asks the store, which takes longer. Filters take a sixteenth of the heap",
                    store.name(),
                    context.taskId());
        }
    }

    /** Returns how far apart two parts are. */
    private Duration interval() {
        Duration interval = retention.dividedBy(PARTS);
        if (interval.compareTo(LONGEST) > 0) {
            return LONGEST;
        }
        return interval.compareTo(SHORTEST) < 0 ? SHORTEST : interval;
    }

    private long part() {
        double share = 2.0 * interval().toMillis() / retention.toMillis();
        return Math.max(FEWEST, (long) (share * store.approximateNumEntries()));
    }
}

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

/**
 * Goes through the store, deletes ids that are older than the retention, and tells a filter the others: a part of the store at a time, so that the stream thread is
 * not held up, and the whole store twice within the retention. So the store holds at most one and a half times the ids of the retention. The first pass is faster, so that the filter
 * is soon complete. Not thread-safe.
 */
final class Purge {

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
    private @Nullable Cancellable passes;
    private @Nullable Cancellable firstPass;
    /** Where the next part begins; null before a pass. */
    private @Nullable Bytes next;

    Purge(KeyValueStore<Bytes, byte[]> store, Duration retention, ProcessingContext context, IdFilter filter) {
        this.store = store;
        this.retention = retention;
        this.context = context;
        this.filter = filter;
    }

    /**
     * Goes on by itself until {@link #stop}.
     *
     * @param isEmpty whether the store has no ids
     */
    void start(boolean isEmpty) {
        passes = context.schedule(interval(), PunctuationType.WALL_CLOCK_TIME, now -> pass(now, part()));
        if (isEmpty) {
            filter.begin(0);
            filter.end();
        } else if (store.persistent()) {
            firstPass = context.schedule(
                    FIRST_PASS_INTERVAL, PunctuationType.WALL_CLOCK_TIME, now -> pass(now, FIRST_PASS_PART));
        }
    }

    /** Kafka Streams keeps what is scheduled when it closes a processor and begins with it again. */
    void stop() {
        cancel(passes);
        endFirstPass();
    }

    private void endFirstPass() {
        cancel(firstPass);
        firstPass = null;
    }

    private static void cancel(@Nullable Cancellable scheduled) {
        if (scheduled != null) {
            scheduled.cancel();
        }
    }

    /**
     * Returns whether the store has no ids. Reads the first one.
     *
     * @throws IdempotencyException if the store is one of something else
     */
    boolean isEmpty() {
        try (KeyValueIterator<Bytes, byte[]> all = store.all()) {
            while (all.hasNext()) {
                KeyValue<Bytes, byte[]> entry = all.next();
                if (isId(entry.key)) {
                    Seen unused = Seen.of(entry.value);
                    return false;
                }
                if (!TopicNames.isTopic(entry.key) && !TaskLife.isLife(entry.key)) {
                    throw new IdempotencyException(
                            "The state store " + store.name()
                                    + " has entries that no deduplication wrote. Give the deduplication a name that no other store of the application has or had, or reset the application");
                }
            }
            return true;
        }
    }

    private static boolean isId(Bytes key) {
        return key.get().length == TopicNames.ID_BYTES;
    }

    private void pass(long wallTime, long part) {
        Bytes from = next;
        // A part that fails is the end of its pass.
        next = null;
        if (from == null && !filter.begin(store.approximateNumEntries())) {
            endFirstPass();
        }
        List<Bytes> old = new ArrayList<>();
        Bytes until = readPart(from, part, wallTime, old);
        if (until == null) {
            filter.end();
            endFirstPass();
        } else {
            filter.tellTo(until);
        }
        next = until;
        old.forEach(store::delete);
    }

    /** Returns where the next part begins, or null at the end of the store. Old ids are added to the list, the others told to the filter. */
    private @Nullable Bytes readPart(@Nullable Bytes from, long part, long wallTime, List<Bytes> old) {
        long streamTime = Seen.streamTime(context.currentStreamTimeMs(), wallTime);
        Bytes last = null;
        long left = part;
        try (KeyValueIterator<Bytes, byte[]> ids = store.range(from, null)) {
            while (ids.hasNext()) {
                KeyValue<Bytes, byte[]> id = ids.next();
                checkOrder(last == null ? from : last, id.key, last == null);
                last = id.key;
                if (left-- == 0) {
                    return id.key;
                }
                if (!isId(id.key)) {
                    continue;
                }
                if (Seen.of(id.value).age(streamTime, wallTime) >= retention.toMillis()) {
                    old.add(id.key);
                } else {
                    filter.tell(id.key);
                }
            }
            return null;
        }
    }

    /** Otherwise a pass would leave out ids, and the filter would take them for new. */
    private void checkOrder(@Nullable Bytes before, Bytes key, boolean mayBeEqual) {
        int order = before == null ? -1 : before.compareTo(key);
        if (order > 0 || (order == 0 && !mayBeEqual)) {
            throw new IdempotencyException("The state store " + store.name()
                    + " does not return its entries in the order of the bytes of their keys, so the deduplication cannot go through it in parts."
                    + " Use Stores::persistentKeyValueStore or Stores::inMemoryKeyValueStore");
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

package io.idempotency.streams;

import io.idempotency.Duplicate;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import io.idempotency.store.StoredId;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Decides which records of a task are copies, and remembers the ids of the others. One store access: a copy is looked up, a new id is written. A new id is looked up, too, if the {@linkplain IdFilter filter} does not know it. Not thread-safe.
 *
 * <p>Kafka Streams repeats what was not committed. Under {@code exactly_once_v2} it takes back the state with the outputs, so an id that is remembered was
 * forwarded, and the output is there. Under {@code at_least_once} the state may be there although the output is not. There a record at the remembered
 * position is that record again, and one whose entry an earlier life of the task has not committed may be: an operator in front may have given it another position. Both are
 * forwarded, because the output may have been lost.
 */
final class IdMemory {

    private final KeyValueStore<Bytes, byte[]> store;
    private final ProcessingContext context;
    private final TopicNames topics;
    private final long retentionMillis;
    private final boolean isExactlyOnce;
    private final TaskLife life;
    private final IdFilter filter;
    private final Purge purge;
    /** The ids that were new at the place of the current record. Operators in front may have made several records of it. */
    private final Set<Bytes> newHere = new HashSet<>();

    private Seen here = new Seen(0, -1, -1, 0, 0, 0);

    IdMemory(KeyValueStore<Bytes, byte[]> store, ProcessingContext context, Duration retention) {
        this.store = store;
        this.context = context;
        this.topics = new TopicNames(store);
        this.retentionMillis = retention.toMillis();
        this.isExactlyOnce = isExactlyOnce(context.appConfigs());
        this.filter = new IdFilter(
                store.name() + " in " + context.taskId(),
                store.persistent() ? FilterMemory.OF_THIS_PROCESS : FilterMemory.NONE);
        this.purge = new Purge(store, retention, context, filter);
        boolean isEmpty = purge.isEmpty();
        this.life = TaskLife.begin(store, context, !isExactlyOnce && !isEmpty);
        purge.start(isEmpty);
    }

    private static boolean isExactlyOnce(Map<String, Object> settings) {
        return StreamsConfig.EXACTLY_ONCE_V2.equals(settings.get(StreamsConfig.PROCESSING_GUARANTEE_CONFIG));
    }

    /**
     * Remembers an id that is new, and returns empty; tells of the first record if this one is a copy.
     *
     * @throws IdempotencyException if the record has no position
     */
    Optional<Duplicate> see(UUID id) {
        Seen now = now();
        if (!here.isAt(now)) {
            newHere.clear();
            here = now;
        }
        Bytes key = Bytes.wrap(StoredId.toBytes(id));
        byte[] entry = newHere.contains(key) || filter.isAbsent(key) ? null : store.get(key);
        Seen first = entry == null ? null : Seen.of(entry);
        Optional<Duplicate> copy = first == null ? Optional.empty() : judge(first, now);
        if (copy.isEmpty() && newHere.add(key)) {
            remember(key, first, now);
        }
        return copy;
    }

    /** A record that comes again is remembered since its first time. */
    private void remember(Bytes key, @Nullable Seen first, Seen now) {
        if (first == null || age(first, now) >= retentionMillis) {
            filter.add(key);
            store.put(key, now.bytes());
        } else if (first.life() != life.number()) {
            store.put(key, first.again(now).bytes());
        }
    }

    /** Ends its passes, and gives the memory of its filter back. */
    void close() {
        purge.stop();
        filter.close();
    }

    private Optional<Duplicate> judge(Seen first, Seen now) {
        long age = age(first, now);
        if (age >= retentionMillis || (!isExactlyOnce && (first.isAt(now) || mayBeLost(first)))) {
            return Optional.empty();
        }
        return Optional.of(Duplicate.of(position(now), position(first), Duration.ofMillis(age)));
    }

    private boolean mayBeLost(Seen first) {
        return first.life() != life.number()
                && topics.name(first.topic())
                        .filter(topic -> life.isCommitted(new TopicPartition(topic, first.partition()), first.offset()))
                        .isEmpty();
    }

    private static long age(Seen first, Seen now) {
        return first.age(now.streamTime(), now.wallTime());
    }

    private Seen now() {
        RecordMetadata at = context.recordMetadata()
                .filter(each -> each.offset() >= 0 && each.topic() != null)
                .orElseThrow(() -> new IdempotencyException("A record that reached the deduplication " + store.name()
                        + " has no position, because a punctuator made it. The position tells a copy from a record that comes again, and from others that were made"
                        + " of one record. Put the deduplication before that operator"));
        return new Seen(
                topics.number(at.topic()),
                at.partition(),
                at.offset(),
                Seen.streamTime(context.currentStreamTimeMs(), context.currentSystemTimeMs()),
                context.currentSystemTimeMs(),
                life.number());
    }

    private Position position(Seen seen) {
        return topics.name(seen.topic())
                .map(topic -> new Position(topic, seen.partition(), seen.offset()))
                .orElse(Position.UNKNOWN);
    }
}

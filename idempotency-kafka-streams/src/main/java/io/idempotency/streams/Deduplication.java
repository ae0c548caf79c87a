package io.idempotency.streams;

import io.idempotency.kafka.MessageIds;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.Stores;

/**
 * Forwards the first record of each message id in a Kafka Streams topology, and drops copies:
 *
 * <pre>{@code
 * KStream<String, Payment> once = stream.processValues(Deduplication.<String, Payment>named("ledger").retention(ofDays(1)).supplier());
 * }</pre>
 *
 * <p>It remembers the ids in a state store with the name of the deduplication, and Kafka keeps them in the changelog of that store. So it needs no database.
 *
 * <ul>
 *   <li>Under {@code processing.guarantee=exactly_once_v2} each id is forwarded once within the retention, whatever crashes. Outputs are seen once by
 *       consumers with {@code isolation.level=read_committed}.
 *   <li>Under {@code at_least_once} Kafka Streams processes again what was not committed, so the first record of an id may be forwarded again, and its
 *       outputs repeat. A copy, which is a record with its id at another position, is never forwarded.
 * </ul>
 *
 * <p>It finds copies in the same partition. Producers that keep the key send a copy to the same partition as long as the number of partitions stays. For
 * copies in other partitions use {@link #acrossPartitions}. Records that an operator in front made of one record, and that have its id, share its fate. Put the
 * deduplication in front of operators that make several records of one, and in front of a repartition.
 *
 * <p>The retention counts from the first record of an id, by the clock that has gone on less since: the stream time, or the time of the machine. So neither a
 * record with a timestamp far ahead nor a long downtime makes ids old. Copies do not prolong it.
 *
 * <p>Not thread-safe. What it returned is not changed by later calls.
 *
 * @param <K> the keys of the records
 * @param <V> the values of the records
 */
public final class Deduplication<K, V> {

    /** The default of {@link #retention}: a day more than the seven days for which Kafka keeps the records of a topic. */
    public static final Duration RETENTION = Duration.ofDays(8);

    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final String name;
    private MessageIds<? super V> ids = MessageIds.defaults();
    private Duration retention = RETENTION;
    private MissingId missingId = MissingId.FAIL;
    private DeduplicationListener listener = (delivery, duplicate) -> {};
    private Function<String, KeyValueBytesStoreSupplier> stores = Stores::persistentKeyValueStore;

    private Deduplication(String name) {
        this.name = name;
    }

    /**
     * Returns a deduplication with {@link MessageIds#defaults()}, the retention {@link #RETENTION}, {@link MissingId#FAIL} and a store on disk.
     *
     * @param name the name of the state store, unique in the topology, {@code [A-Za-z0-9._-]{1,100}}. Another name is another store: it has forgotten all ids
     */
    public static <K, V> Deduplication<K, V> named(String name) {
        return new Deduplication<>(MessageId.requireConsumer(name));
    }

    /** Sets where the id of a record is. It gets a record with topic, partition, offset, timestamp, key, value and headers. */
    public Deduplication<K, V> messageId(MessageIds<? super V> ids) {
        this.ids = Objects.requireNonNull(ids);
        return this;
    }

    /**
     * Sets how long an id is remembered at least. Choose at least the time within which copies arrive. The store holds at most one and a half times the ids
     * of this time.
     *
     * @param retention at least a second, at most a hundred years
     */
    public Deduplication<K, V> retention(Duration retention) {
        if (retention.compareTo(SHORTEST) < 0) {
            throw new IdempotencyException("The retention of the deduplication " + name + " is " + retention
                    + ", and the shortest is a second");
        }
        if (retention.compareTo(LONGEST) > 0) {
            throw new IdempotencyException("The retention of the deduplication " + name + " is " + retention
                    + ", and the longest is " + LONGEST.toDays() + " days");
        }
        this.retention = retention;
        return this;
    }

    /** Sets what becomes of a record without a usable id. */
    public Deduplication<K, V> onMissingId(MissingId missingId) {
        this.missingId = Objects.requireNonNull(missingId);
        return this;
    }

    /** Sets who hears of copies. Called on the stream threads, of all tasks. */
    public Deduplication<K, V> listener(DeduplicationListener listener) {
        this.listener = Objects.requireNonNull(listener);
        return this;
    }

    /** Sets the kind of the store, by its name: {@code Stores::inMemoryKeyValueStore}, or one of yours. Kinds with timestamps or with a bound are refused when it is built. One that does not return ranges in the order of the bytes of its keys is refused when old ids are to be deleted. Nobody else may write to the store. */
    public Deduplication<K, V> storedIn(Function<String, KeyValueBytesStoreSupplier> stores) {
        this.stores = Objects.requireNonNull(stores);
        return this;
    }

    /** Returns what to give to {@link KStream#processValues(FixedKeyProcessorSupplier, String...)}. It forwards first records as they are, and brings its store. */
    public FixedKeyProcessorSupplier<K, V, V> supplier() {
        return new Deduplicator.Forwarding<V, V>(settings(), false, (value, duplicate) -> value).supplier();
    }

    /**
     * Returns the same, but it forwards copies, too. Each value says whether its record is a copy, so that the stream can be {@linkplain KStream#split() split}.
     * Nothing can be written with these values: split them and take the value out at once.
     */
    public FixedKeyProcessorSupplier<K, V, Checked<V>> marking() {
        return new Deduplicator.Forwarding<V, Checked<V>>(settings(), true, Checked::new).supplier();
    }

    /**
     * Returns the stream without copies, also if a copy is in another partition than the first record.
     *
     * <p>All records pass a topic in between, {@code <application.id>-<name>-repartition}, in which the id decides the partition. That costs a write, a read
     * and the bytes of that topic. <b>Records of one key lose their order</b>, and two of them may be handled by different tasks; an operator that needs the key
     * repartitions once more. Positions are those of the topic in between.
     *
     * @param keys writes and reads the keys, in a header of the topic in between
     * @param values writes and reads the values in that topic
     */
    public KStream<K, V> acrossPartitions(KStream<K, V> stream, Serde<K> keys, Serde<V> values) {
        return new Rekeying<>(settings(), keys, values, OptionalInt.empty()).of(stream);
    }

    /**
     * Returns the same, with a topic in between whose number of partitions does not depend on that of the input. So partitions can be added to the input: Kafka Streams
     * refuses to start if the number of a topic of its own no longer fits.
     *
     * @param partitions of the topic in between, for good
     */
    public KStream<K, V> acrossPartitions(KStream<K, V> stream, Serde<K> keys, Serde<V> values, int partitions) {
        return new Rekeying<>(settings(), keys, values, OptionalInt.of(partitions)).of(stream);
    }

    /**
     * Tells what this process remembers of an id: of the partitions that it owns, and of those for which it has a standby replica, which may be behind. Ask each
     * instance of the application; {@link KafkaStreams#streamsMetadataForStore} lists them. Reads the store of each partition once, on the calling thread.
     *
     * @param streams the application, with a deduplication of this name and retention
     * @param id the id as it is remembered: the one of a header as it is, another one with its kind, such as {@code ~value:4711}
     * @throws IdempotencyException if the topology has no such store, or the application does not run
     */
    public Explained explain(KafkaStreams streams, String id) {
        return new Lookup(streams, settings()).explain(new MessageId(name, id));
    }

    private DeduplicationSettings<V> settings() {
        return new DeduplicationSettings<>(name, ids, retention, missingId, listener, stores);
    }
}

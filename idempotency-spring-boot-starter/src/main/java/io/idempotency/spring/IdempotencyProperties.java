package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.jdbc.Unjudged;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.Errors;
import org.springframework.validation.Validator;

/**
 * The properties {@code idempotency.*} of the starter. Immutable.
 *
 * @param enabled Whether listeners that are annotated with @Idempotent are idempotent. If not, they run as with spring-kafka alone.
 * @param store Store of listeners that do not name another one: table, journal, memory or the name of a ClaimStore bean.
 * @param transactionPer How many records share a transaction, of record listeners with the level STRONG that do not say it themselves. With poll, one
 *     statement claims the records of a poll, and one commit settles them.
 * @param retention How long tables remember messages. Choose at least the retention of the topics; the minimum is a minute.
 * @param unjudged How to treat a record that the purge may have forgotten, for example after offsets were reset.
 * @param lease Duration of the lease that a listener with the level AT_LEAST_ONCE takes on a message. It is renewed after a third of that time.
 * @param claimTimeout How long a claim waits for another transaction that has claimed the same message.
 * @param standStillAfter Number of different messages, quarantined in a row for the same failure, after which a partition stands still. 0 for never.
 * @param transactionManager Name, alias or qualifier of the transaction manager of the listeners. Needed if several manage the data source.
 * @param messageId Where to find message ids.
 * @param expiry When messages expire.
 * @param payloadCheck Comparison of records that were sent again with the first ones.
 * @param purge Purge of messages that are older than the retention.
 * @param replay Replays of quarantined messages.
 * @param quarantine Messages that failed for good.
 * @param audit Records of who changed what is remembered.
 * @param observation Observations of records, if the container has them.
 * @param journal The journal store.
 * @param cache Cache of known duplicates.
 * @param schema The tables of the stores.
 * @param outbox Outputs that are sent after the commit of the transaction that they are stored in.
 * @param producer Settings of producers.
 * @param consumers Settings of single consumers, by their name in @Idempotent. They override the annotation.
 */
@ConfigurationProperties("idempotency")
public record IdempotencyProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("table") String store,
        @DefaultValue("record") TransactionPer transactionPer,
        @DefaultValue("8d") Duration retention,
        @DefaultValue("refuse") Unjudged unjudged,
        @DefaultValue("1m") Duration lease,
        @DefaultValue("5s") Duration claimTimeout,
        @DefaultValue("5") int standStillAfter,
        @Nullable String transactionManager,
        @DefaultValue MessageId messageId,
        @DefaultValue Expiry expiry,
        @DefaultValue PayloadCheck payloadCheck,
        @DefaultValue Purge purge,
        @DefaultValue Replay replay,
        @DefaultValue Quarantine quarantine,
        @DefaultValue Audit audit,
        @DefaultValue Observation observation,
        @DefaultValue Journal journal,
        @DefaultValue Cache cache,
        @DefaultValue Schema schema,
        @DefaultValue Outbox outbox,
        @DefaultValue Producer producer,
        @DefaultValue Map<String, Consumer> consumers)
        implements Validator {

    /** {@inheritDoc} Called by Spring Boot. */
    @Override
    public boolean supports(Class<?> type) {
        return type == IdempotencyProperties.class;
    }

    /** {@inheritDoc} Called by Spring Boot, which reports the values that are not allowed. */
    @Override
    public void validate(Object properties, Errors errors) {
        AllowedValues.require((IdempotencyProperties) properties, errors);
    }

    /**
     * Where to find message ids.
     *
     * @param headers Headers that may carry the id of a message. The first one present counts; ce_source and ce_id come last.
     * @param missing How to treat a message without an id.
     * @param retryTopics Retry and dead-letter topics besides those of @RetryableTopic. With missing=coordinates, their records count as the original
     *     ones.
     */
    public record MessageId(
            @DefaultValue("message-id") List<String> headers,
            @DefaultValue("fail") Missing missing,
            @DefaultValue Set<String> retryTopics) {}

    /** How to treat a message without an id. */
    public enum Missing {
        /** The message fails, and goes to the recoverer without a retry. */
        FAIL,
        /** The message is processed at each delivery, and not remembered. */
        PROCESS,
        /** The position and the timestamp of the record are its id: a redelivery is recognised, a second send is not. */
        COORDINATES
    }

    /**
     * When messages expire.
     *
     * @param header Header with the expiry of a message: an ISO-8601 instant, milliseconds since 1970, or an ISO-8601 duration from the timestamp of the
     *     record on. Without a name messages do not expire.
     */
    public record Expiry(@DefaultValue("") String header) {}

    /**
     * Outputs that are sent after the commit of the transaction that they are stored in.
     *
     * @param enabled Whether there is an outbox.
     * @param relay Whether a relay of this application sends its outputs.
     * @param listen Whether the relay is woken by commits of other processes, on PostgreSQL. Takes one connection of the pool.
     * @param interval Time after which the relay looks for outputs if nobody woke it.
     * @param batchSize Maximum number of outputs that one transaction of the relay sends.
     */
    public record Outbox(
            @DefaultValue("false") boolean enabled,
            @DefaultValue("true") boolean relay,
            @DefaultValue("true") boolean listen,
            @DefaultValue("500ms") Duration interval,
            @DefaultValue("4000") int batchSize) {}

    /**
     * Comparison of records that were sent again with the first ones.
     *
     * @param policy What becomes of a record with the id of a processed one and another value.
     * @param perSecond Maximum number of records that each consumer compares in a second.
     */
    public record PayloadCheck(
            @DefaultValue("off") PayloadPolicy policy,
            @DefaultValue("10") int perSecond) {}

    /** What becomes of a record with the id of a processed one and another value. */
    public enum PayloadPolicy {
        /** Nothing is compared. The record is skipped. */
        OFF,
        /** It is reported and skipped. */
        SKIP,
        /** It is quarantined under an id of its own. */
        QUARANTINE,
        /** Its partition stands still. */
        FAIL
    }

    /**
     * The purge.
     *
     * @param enabled Whether this application purges messages that are older than the retention.
     * @param interval Time between two runs of the purge.
     * @param batchSize Maximum number of messages that one transaction of the purge deletes.
     */
    public record Purge(
            @DefaultValue("true") boolean enabled,
            @DefaultValue("10m") Duration interval,
            @DefaultValue("1000") int batchSize) {}

    /**
     * Replays.
     *
     * @param enabled Whether this application carries out replays of the messages that its listeners have quarantined.
     */
    public record Replay(@DefaultValue("true") boolean enabled) {}

    /**
     * Messages that failed for good.
     *
     * @param keyOrder Whether later messages of a key follow a message into quarantine, so that the messages of each key are processed in order.
     * @param retention How long a message may stay in quarantine. Then it is deleted, and copies of it are skipped. Without it, messages stay for ever.
     * @param warnAfter Age of a message in quarantine that causes a warning each hour. The retention of ids by default.
     */
    public record Quarantine(
            @DefaultValue("false") boolean keyOrder,
            @Nullable Duration retention,
            @Nullable Duration warnAfter) {}

    /**
     * Records of who changed what is remembered.
     *
     * @param retention How long records are kept.
     */
    public record Audit(@DefaultValue("400d") Duration retention) {}

    /**
     * The journal store.
     *
     * @param retention How long journals remember messages, at least a minute. A message takes about 2.3 bytes of memory, and 26 while it is among the newest of its partition.
     * @param archiveAfter How many messages of a partition stay exact in memory. Older ones are moved to archives. 0 builds no archives.
     * @param memory Maximum memory of the journals of this process. Half of the heap by default.
     * @param forgetOldestIfFull Whether to forget the oldest messages early if the memory is full. If not, claims fail.
     * @param acceptMissedDuplicates Whether to accept records without a key and records of retry topics. Their copies in other partitions are not recognised.
     * @param topicIds Whether a topic that is deleted and created again gets new journals.
     * @param streams Names of the journals of topics that were renamed or are mirrored, by topic.
     */
    public record Journal(
            @DefaultValue("1d") Duration retention,
            @DefaultValue("500000") int archiveAfter,
            @Nullable DataSize memory,
            @DefaultValue("false") boolean forgetOldestIfFull,
            @DefaultValue("false") boolean acceptMissedDuplicates,
            @DefaultValue("false") boolean topicIds,
            @DefaultValue Map<String, String> streams) {}

    /**
     * The cache of known duplicates, if Caffeine is on the class path.
     *
     * @param size Maximum number of message ids. 0 switches the cache off.
     * @param time How long to keep an id, at most the retention.
     */
    public record Cache(
            @DefaultValue("10000") long size,
            @DefaultValue("10m") Duration time) {}

    /**
     * The tables.
     *
     * @param mode Who creates the tables for ids and quarantined messages.
     * @param tablePrefix Prefix of the table names.
     * @param name Database schema of the tables, by default that of the connection. The modes always and flyway create it.
     */
    public record Schema(
            @DefaultValue("embedded") SchemaMode mode,
            @DefaultValue("idempotency_") String tablePrefix,
            @DefaultValue("") String name) {}

    /** Who creates the tables. */
    public enum SchemaMode {
        /** Created in an embedded database, only validated in others. */
        EMBEDDED,
        /** Created if they do not exist. */
        ALWAYS,
        /** Only validated: your own migrations create them. */
        VALIDATE,
        /** Created and brought up to date by Flyway, with a history table of their own. */
        FLYWAY,
        /** Neither created nor validated. */
        NONE
    }

    /**
     * Observations of records.
     *
     * @param messageId Whether the span of a record has the id of its message.
     */
    public record Observation(@DefaultValue("true") boolean messageId) {}

    /**
     * Producers.
     *
     * @param messageId Whether producers that Spring Boot configures stamp an id on each message without one.
     * @param derivedIds Whether messages that a listener sends get ids derived from its own message and their content, so that they are the same when
     *     it is processed again.
     * @param await Whether a message is settled only after the messages that its listener sent have arrived. If not, a crash after the commit loses
     *     them.
     */
    public record Producer(
            @DefaultValue("true") boolean messageId,
            @DefaultValue("true") boolean derivedIds,
            @DefaultValue("true") boolean await) {}

    /**
     * A single consumer. Its settings override the annotation.
     *
     * @param enabled Whether the listener of this consumer is idempotent.
     * @param level Consistency level of this consumer.
     * @param store Store of this consumer: table, journal, memory or the name of a ClaimStore bean.
     * @param listeners Ids of listeners that belong to this consumer and are not annotated, such as those of a library.
     * @param messageId Where to find the message id: an expression or a JSON pointer, as in the annotation.
     * @param transactionPer How many records share a transaction.
     * @param shadow Whether the listener is only watched: it runs as with spring-kafka alone, and what a real run would do differently is reported.
     * @param expiryHeader Header with the expiry of a message. Empty if the messages of this consumer do not expire.
     * @param startFrom Where partitions begin.
     */
    public record Consumer(
            @DefaultValue("true") boolean enabled,
            @Nullable ConsistencyLevel level,
            @Nullable String store,
            @DefaultValue Set<String> listeners,
            @Nullable String messageId,
            @Nullable TransactionPer transactionPer,
            @Nullable Boolean shadow,
            @Nullable String expiryHeader,
            @DefaultValue("committed") StartFrom startFrom) {

        static final Consumer DEFAULT =
                new Consumer(true, null, null, Set.of(), null, null, null, null, StartFrom.COMMITTED);
    }

    /** Where partitions begin. */
    public enum StartFrom {
        /** At the offsets that the group has committed. */
        COMMITTED,
        /** Behind what the store knows to be settled, if the committed offsets are before that, or gone. */
        STORE
    }

    Consumer consumer(String name) {
        return consumers.getOrDefault(name, Consumer.DEFAULT);
    }
}

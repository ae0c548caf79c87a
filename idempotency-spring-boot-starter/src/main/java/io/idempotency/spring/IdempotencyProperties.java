package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.jdbc.JournalStore;
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
 * The properties of the starter. Immutable.
 *
 * @param enabled Whether listeners that are annotated with @Idempotent are idempotent. If not, they run as if the starter were not there.
 * @param store Where messages are remembered, unless a listener says otherwise: table, journal, memory or the name of a ClaimStore bean.
 * @param retention How long messages are remembered in tables: at least as long as the topics keep their records, and at least a minute.
 * @param lease How long a message is lent to a listener with the level AT_LEAST_ONCE. The lease is renewed at a third of it.
 * @param claimTimeout How long a claim waits for another transaction that has claimed the same message.
 * @param standStillAfter Number of different messages, quarantined in a row for the same failure, after which a partition stands still instead of
 *     draining into quarantine; 0 for never.
 * @param transactionManager Name, alias or qualifier of the transaction manager of the listeners. Needed if several manage the data source.
 * @param messageId Where message ids are.
 * @param purge How messages that are older than the retention are forgotten.
 * @param journal The journal store.
 * @param cache Which duplicates are known without asking the database.
 * @param schema The tables of the stores.
 * @param producer What is done for producers.
 * @param consumers Settings of single consumers, by the name that @Idempotent gives them. They count more than the annotation.
 */
@ConfigurationProperties("idempotency")
public record IdempotencyProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("table") String store,
        @DefaultValue("8d") Duration retention,
        @DefaultValue("1m") Duration lease,
        @DefaultValue("5s") Duration claimTimeout,
        @DefaultValue("5") int standStillAfter,
        @Nullable String transactionManager,
        @DefaultValue MessageId messageId,
        @DefaultValue Purge purge,
        @DefaultValue Journal journal,
        @DefaultValue Cache cache,
        @DefaultValue Schema schema,
        @DefaultValue Producer producer,
        @DefaultValue Map<String, Consumer> consumers)
        implements Validator {

    /** {@inheritDoc} Called by Spring Boot. */
    @Override
    public boolean supports(Class<?> type) {
        return type == IdempotencyProperties.class;
    }

    /** {@inheritDoc} Called by Spring Boot, which names what is not allowed. */
    @Override
    public void validate(Object properties, Errors errors) {
        AllowedValues.require((IdempotencyProperties) properties, errors);
    }

    /**
     * Where message ids are.
     *
     * @param headers Headers that may carry the id of a message. The first one that is there counts; ce_source and ce_id come last.
     * @param missing What becomes of a message without an id.
     * @param retryTopics Retry and dead-letter topics beside those of @RetryableTopic. If coordinates are the ids of messages without one, records
     *     of these topics count as the original ones.
     */
    public record MessageId(
            @DefaultValue("message-id") List<String> headers,
            @DefaultValue("fail") Missing missing,
            @DefaultValue Set<String> retryTopics) {}

    /** What becomes of a message without an id. */
    public enum Missing {
        /** It is a failed message, handed to the recoverer without a retry. */
        FAIL,
        /** It is processed whenever it is delivered, and not remembered. */
        PROCESS,
        /** Where and when it was written is its id: a redelivery is recognised, a re-send is not. */
        COORDINATES
    }

    /**
     * The purge.
     *
     * @param enabled Whether this application forgets messages that are older than the retention.
     * @param interval Time between two runs of the purge.
     * @param batchSize How many messages one transaction of the purge forgets at most.
     */
    public record Purge(
            @DefaultValue("true") boolean enabled,
            @DefaultValue("10m") Duration interval,
            @DefaultValue("1000") int batchSize) {}

    /**
     * The journal store.
     *
     * @param retention How long messages are remembered in journals, at least a minute. Each takes about 26 bytes of memory.
     * @param memory Most memory that the journals of this process may take. Half of the heap by default.
     * @param raiseHorizonIfFull Whether the oldest messages are forgotten before their time if the memory is not enough. If not, claims fail.
     * @param unjudged What becomes of a record that is older than what its journal remembers.
     * @param acceptStrays Whether records without a key and of retry topics are taken. Their copies in other partitions are not recognised.
     * @param topicIds Whether a topic that is deleted and created again gets journals of its own.
     * @param streams Names of the journals of topics that were renamed or are mirrored, by topic.
     */
    public record Journal(
            @DefaultValue("1d") Duration retention,
            @Nullable DataSize memory,
            @DefaultValue("false") boolean raiseHorizonIfFull,
            @DefaultValue("refuse") JournalStore.Unjudged unjudged,
            @DefaultValue("false") boolean acceptStrays,
            @DefaultValue("false") boolean topicIds,
            @DefaultValue Map<String, String> streams) {}

    /**
     * The cache of known duplicates, if Caffeine is on the class path.
     *
     * @param size How many message ids are kept. 0 switches the cache off.
     * @param time How long an id is kept, never longer than the retention.
     */
    public record Cache(
            @DefaultValue("10000") long size,
            @DefaultValue("10m") Duration time) {}

    /**
     * The tables.
     *
     * @param mode Who creates the tables that ids and quarantined messages are stored in.
     * @param tablePrefix Prefix of the names of the tables.
     * @param name Database schema of the tables. The one of the connection by default; created with them by the modes always and flyway.
     */
    public record Schema(
            @DefaultValue("embedded") SchemaMode mode,
            @DefaultValue("idempotency_") String tablePrefix,
            @DefaultValue("") String name) {}

    /** Who creates the tables. */
    public enum SchemaMode {
        /** Created in an embedded database, otherwise only validated. */
        EMBEDDED,
        /** Created if they are not there. */
        ALWAYS,
        /** Only validated: your own migrations create them. */
        VALIDATE,
        /** Created and brought up to date by Flyway, with a history table of their own. */
        FLYWAY,
        /** Neither created nor validated. */
        NONE
    }

    /**
     * Producers.
     *
     * @param messageId Whether producers that Spring Boot configures give an id to each message that has none.
     * @param derivedIds Whether what a listener sends gets ids derived from its message and from what it says, the same when the message is handled
     *     again.
     * @param await Whether a message is settled only when what its listener sent has arrived. If not, a crash behind the commit loses outputs.
     */
    public record Producer(
            @DefaultValue("true") boolean messageId,
            @DefaultValue("true") boolean derivedIds,
            @DefaultValue("true") boolean await) {}

    /**
     * A single consumer; what is set here counts more than the annotation.
     *
     * @param enabled Whether the listener of this consumer is idempotent.
     * @param level Consistency level of this consumer.
     * @param store Store of this consumer: table, journal, memory or the name of a ClaimStore bean.
     * @param listeners Ids of listeners that belong to this consumer and are not annotated, such as those of a library.
     * @param messageId Where the message id of this consumer is: an expression or a JSON pointer, as in the annotation.
     * @param transactionPer How many records share a transaction.
     */
    public record Consumer(
            @DefaultValue("true") boolean enabled,
            @Nullable ConsistencyLevel level,
            @Nullable String store,
            @DefaultValue Set<String> listeners,
            @Nullable String messageId,
            @Nullable TransactionPer transactionPer) {

        static final Consumer DEFAULT = new Consumer(true, null, null, Set.of(), null, null);
    }

    Consumer consumer(String name) {
        return consumers.getOrDefault(name, Consumer.DEFAULT);
    }
}

package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
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
 * @param enabled whether {@code @Idempotent} does anything; without it, listeners run as if it were not there
 * @param store where messages are remembered, unless a listener says otherwise
 * @param retention how long messages are remembered in tables, at least as long as the topics keep records
 * @param lease how long a lease lasts under AT_LEAST_ONCE; it is renewed at a third
 * @param claimTimeout how long a claim waits for another transaction that claims the same message
 * @param transactionManager the bean name of the transaction manager, where several manage the data source
 * @param messageId where message ids are
 * @param purge how what is older than the retention is forgotten
 * @param journal the journal store
 * @param cache which duplicates are known without a round trip
 * @param schema the tables
 * @param producer what is done for producers
 * @param consumers settings of single consumers, by name
 */
@ConfigurationProperties("idempotency")
public record IdempotencyProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("table") String store,
        @DefaultValue("8d") Duration retention,
        @DefaultValue("1m") Duration lease,
        @DefaultValue("5s") Duration claimTimeout,
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
     * @param headers the headers that may carry the id, the first that is there counts; CloudEvents headers come last
     * @param missing what becomes of a message without an id
     * @param retryTopics retry and dead-letter topics beside those of {@code @RetryableTopic}: under {@code coordinates} their records count as
     *     those of the topic that they were forwarded from
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
     * @param enabled whether this application purges at all
     * @param interval the time between two runs
     * @param batchSize how many messages one transaction forgets at most
     */
    public record Purge(
            @DefaultValue("true") boolean enabled,
            @DefaultValue("10m") Duration interval,
            @DefaultValue("1000") int batchSize) {}

    /**
     * The journal store.
     *
     * @param retention how long messages are remembered in journals, which takes memory: about 26 bytes a message
     * @param memory the most memory that the journals may take; half of the heap by default
     * @param raiseHorizonIfFull whether the oldest messages are forgotten before their time if that is not enough, instead of a failure
     * @param unjudged what becomes of a delivery that is older than what is remembered
     * @param acceptStrays whether messages without a key and from retry topics are taken, whose copies in other partitions are not recognised
     * @param topicIds whether a topic that is deleted and created again under the same name is another one, with journals of its own
     * @param streams the names under which topics have their journals, by topic, where a topic was renamed or is mirrored
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
     * @param size how many message ids are kept; 0 switches it off
     * @param time how long an id is kept, never longer than the retention
     */
    public record Cache(
            @DefaultValue("10000") long size,
            @DefaultValue("10m") Duration time) {}

    /**
     * The tables.
     *
     * @param mode who creates them
     * @param tablePrefix what their names begin with
     * @param name the database schema they are in; the connection's own by default
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
     * @param messageId whether every producer that Spring Boot configures stamps a message id where there is none
     */
    public record Producer(@DefaultValue("true") boolean messageId) {}

    /**
     * A single consumer; what is set here counts more than the annotation.
     *
     * @param enabled whether its listener is idempotent at all
     * @param level its consistency level
     * @param store its store
     */
    public record Consumer(
            @DefaultValue("true") boolean enabled,
            @Nullable ConsistencyLevel level,
            @Nullable String store) {

        static final Consumer DEFAULT = new Consumer(true, null, null);
    }

    Consumer consumer(String name) {
        return consumers.getOrDefault(name, Consumer.DEFAULT);
    }
}

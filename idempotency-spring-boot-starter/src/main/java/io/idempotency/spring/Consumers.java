package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.ConsumptionListener;
import io.idempotency.DuplicateCache;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.MessageIdExtractor;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.MessageIds;
import io.idempotency.kafka.TopicIds;
import io.idempotency.kafka.TopicRetention;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineStore;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;

/** Builds the idempotent consumers of the listeners, one for each name, and closes them. Thread-safe. */
final class Consumers implements DisposableBean {

    private final IdempotencyProperties properties;
    private final Stores stores;
    private final ListenerTransactions transactions;
    private final ObjectProvider<DuplicateCache> cache;
    private final ObjectProvider<QuarantineStore> quarantine;
    private final ObjectProvider<ConsumptionListener> listeners;
    private final ObjectProvider<RecordScope> scope;
    private final ObjectProvider<Meters> meters;
    private final Map<String, IdempotentConsumer<ConsumerRecord<Object, Object>>> built = new ConcurrentHashMap<>();
    private final Map<String, ListenerDefinition> owners = new ConcurrentHashMap<>();
    private final Map<String, Admin> admins = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> retryTopics = new ConcurrentHashMap<>();

    Consumers(
            IdempotencyProperties properties,
            Stores stores,
            ListenerTransactions transactions,
            ObjectProvider<DuplicateCache> cache,
            ObjectProvider<QuarantineStore> quarantine,
            ObjectProvider<ConsumptionListener> listeners,
            ObjectProvider<RecordScope> scope,
            ObjectProvider<Meters> meters) {
        this.properties = properties;
        this.stores = stores;
        this.transactions = transactions;
        this.cache = cache;
        this.quarantine = quarantine;
        this.listeners = listeners;
        this.scope = scope;
        this.meters = meters;
    }

    ConsistencyLevel level(ListenerDefinition listener) {
        ConsistencyLevel configured = properties.consumer(listener.name()).level();
        return configured != null ? configured : listener.level().orElse(ConsistencyLevel.STRONG);
    }

    /** Returns the kind or name of the listener's store. */
    String store(ListenerDefinition listener) {
        return stores.asked(listener);
    }

    Optional<Duration> rememberedFor(ListenerDefinition listener) {
        return stores.rememberedFor(listener);
    }

    /** Returns the retry and dead-letter topics of a listener, to add to until it starts. */
    Set<String> retryTopics(ListenerDefinition listener) {
        return retryTopics.computeIfAbsent(listener.name(), name -> {
            Set<String> topics = ConcurrentHashMap.newKeySet();
            topics.addAll(properties.messageId().retryTopics());
            return topics;
        });
    }

    /**
     * Returns the consumer of a listener. The containers of one listener, such as those of its retry topics, share it.
     *
     * @param chunkTime how long one call may go on beginning new work
     * @param connection how to connect to Kafka, to ask for topic ids
     */
    IdempotentConsumer<ConsumerRecord<Object, Object>> of(
            ListenerDefinition listener, Duration chunkTime, Map<String, Object> connection) {
        ListenerDefinition owner = owners.putIfAbsent(listener.name(), listener);
        if (owner != null && !owner.element().equals(listener.element())) {
            throw new ListenerRefusedException(
                    "The consumer name " + listener.name() + " belongs to two listeners, " + owner.element() + " and "
                            + listener.element() + ": what one of them processed, the other would skip",
                    "Give each listener a name of its own.");
        }
        return built.computeIfAbsent(listener.name(), name -> build(listener, chunkTime, connection));
    }

    private IdempotentConsumer<ConsumerRecord<Object, Object>> build(
            ListenerDefinition listener, Duration chunkTime, Map<String, Object> connection) {
        ClaimStore store = stores.of(listener);
        IdempotentConsumerBuilder<ConsumerRecord<Object, Object>> builder = KafkaRecords.<Object, Object>consumer(
                        listener.name())
                .level(level(listener))
                .transactionPer(listener.transactionPer().orElse(TransactionPer.RECORD))
                .messageId(messageId(listener, connection))
                .failures(FailurePolicy.leaveToCaller())
                .chunk(IdempotentConsumerBuilder.DEFAULT_CHUNK_RECORDS, chunkTime)
                .lease(properties.lease())
                .store(store);
        if (level(listener) == ConsistencyLevel.STRONG) {
            builder.transactions(stores.guarded(listener, transactions.of(listener, store)));
        }
        cache.ifAvailable(builder::cache);
        quarantine.ifAvailable(builder::quarantine);
        listeners.orderedStream().forEach(builder::listener);
        scope.ifAvailable(builder::scope);
        meters.ifAvailable(of -> of.begin(listener.name(), level(listener)));
        return builder.build();
    }

    private MessageIdExtractor<? super ConsumerRecord<Object, Object>> messageId(
            ListenerDefinition listener, Map<String, Object> connection) {
        MessageIds<Object> ids;
        if (listener.messageId().isEmpty()) {
            ids = MessageIds.header(properties.messageId().headers().toArray(String[]::new))
                    .orElse(MessageIds.cloudEvents());
        } else {
            SpelMessageId expression = SpelMessageId.of(listener);
            ids = MessageIds.record(expression::read);
        }
        return switch (properties.messageId().missing()) {
            case FAIL -> ids;
            case PROCESS -> ids.orElse(MessageIds.unrecognised());
            case COORDINATES ->
                orCoordinates(
                        ids,
                        TopicIds.of(admins.computeIfAbsent(
                                listener.name(), name -> Admin.create(TopicRetention.admin(connection)))),
                        retryTopics(listener));
        };
    }

    /** The containers of retry topics are made after the consumer, and before any record comes. */
    private static MessageIdExtractor<ConsumerRecord<Object, Object>> orCoordinates(
            MessageIds<Object> ids, TopicIds topicIds, Set<String> retryTopics) {
        MessageIds<Object> own = ids.orElse(MessageIds.coordinates(topicIds));
        MessageIds<Object> forwarded = ids.orElse(MessageIds.coordinates(topicIds, retryTopics::contains));
        return record -> (retryTopics.isEmpty() ? own : forwarded).messageId(record);
    }

    @Override
    public void destroy() {
        built.values().forEach(IdempotentConsumer::close);
        admins.values().forEach(admin -> admin.close(Duration.ofSeconds(1)));
    }
}

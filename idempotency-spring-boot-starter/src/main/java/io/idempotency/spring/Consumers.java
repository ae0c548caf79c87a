package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.ConsistencyLevel;
import io.idempotency.ConsumerStores;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.KeyExtractor;
import io.idempotency.ResendCheck;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.ExpiryHeader;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PayloadCheck;
import io.idempotency.kafka.RecordReread;
import io.idempotency.spring.endpoint.RunningConsumers;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.TransactionRunner;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/** Builds the idempotent consumers of the listeners, one for each name, and closes them. Thread-safe. */
final class Consumers implements DisposableBean, RunningConsumers {

    private final IdempotencyProperties properties;
    private final ListenerIds ids;
    private final Stores stores;
    private final ListenerTransactions transactions;
    private final ConsumerBeans shared;

    @SuppressWarnings("rawtypes")
    private final ObjectProvider<KeyExtractor> keys;

    private final Map<String, IdempotentConsumer<ConsumerRecord<Object, Object>>> built = new ConcurrentHashMap<>();
    private final Map<String, ListenerDefinition> owners = new ConcurrentHashMap<>();
    /** The stores of the listeners, by consumer. */
    private final Map<String, String> asked = new ConcurrentHashMap<>();

    private final List<RecordReread> rereads = new CopyOnWriteArrayList<>();

    Consumers(IdempotencyProperties properties, ConfigurableListableBeanFactory beans, ConsumerBeans shared) {
        this.properties = properties;
        this.ids = new ListenerIds(properties, beans);
        this.stores = new Stores(properties, beans);
        this.transactions = new ListenerTransactions(beans);
        this.shared = shared;
        this.keys = beans.getBeanProvider(KeyExtractor.class);
    }

    ConsistencyLevel level(ListenerDefinition listener) {
        ConsistencyLevel configured = properties.consumer(listener.name()).level();
        return configured != null ? configured : listener.level().orElse(ConsistencyLevel.STRONG);
    }

    /** Notes a listener, switched off or not. Returns the kind or name of its store. */
    String store(ListenerDefinition listener) {
        String store = stores.asked(listener);
        asked.put(listener.name(), store);
        return store;
    }

    /**
     * Returns the store for operators: that of the consumer's listener. Without one here, that which the properties name, then that which remembers it, then the
     * default one.
     */
    ClaimStore operated(String consumer, ConsumerStores elsewhere) {
        String here = asked.getOrDefault(consumer, properties.consumer(consumer).store());
        if (here == null && elsewhere.all().containsKey(consumer)) {
            return elsewhere.apply(consumer);
        }
        return stores.operated(consumer, here == null ? stores.asked(consumer) : here);
    }

    @Override
    public Optional<TransactionPer> transactionPer(String consumer) {
        return Optional.ofNullable(owners.get(consumer)).map(Consumers::transactionPer);
    }

    private static TransactionPer transactionPer(ListenerDefinition listener) {
        return listener.transactionPer().orElse(TransactionPer.RECORD);
    }

    boolean isPartitioned(ListenerDefinition listener) {
        return stores.of(listener).isPartitioned();
    }

    Optional<Duration> rememberedFor(ListenerDefinition listener) {
        return stores.rememberedFor(listener);
    }

    /** Returns how long the listener's messages are remembered, if its store is a database store of the starter. */
    Optional<Duration> retention(ListenerDefinition listener) {
        return stores.retention(listener);
    }

    /** Returns where the settled offsets of the listener are stored. */
    OffsetStore offsets(ListenerDefinition listener) {
        return stores.offsets(listener);
    }

    /** Returns where messages are quarantined; empty if nowhere. */
    Optional<String> quarantine() {
        return shared.quarantinePlace();
    }

    /** Returns whether records that keep failing can be quarantined. */
    boolean haveQuarantine() {
        return shared.haveQuarantine();
    }

    ListenerIds ids() {
        return ids;
    }

    /**
     * Returns the consumer of a listener. The containers of one listener, such as those of its retry topics, share it.
     *
     * @param adapted converts records as the container does
     * @param chunkTime how long one call may go on beginning new work
     * @param connection how to connect to Kafka, to ask for topic ids and to read the bytes of records again
     */
    IdempotentConsumer<ConsumerRecord<Object, Object>> of(
            ListenerDefinition listener, AdaptedListener adapted, Duration chunkTime, Map<String, Object> connection) {
        return of(listener, adapted, FailurePolicy.leaveToCaller(), chunkTime, connection);
    }

    /** Returns the consumer of a listener as the other method does, for a container without an error handler that decides what becomes of failures. */
    IdempotentConsumer<ConsumerRecord<Object, Object>> of(
            ListenerDefinition listener,
            AdaptedListener adapted,
            FailurePolicy failures,
            Duration chunkTime,
            Map<String, Object> connection) {
        ListenerDefinition owner = owners.putIfAbsent(listener.name(), listener);
        refuseIf(
                owner != null && !owner.isSame(listener),
                "The consumer name " + listener.name() + " belongs to two listeners, " + describe(owner, listener)
                        + ", and one would skip messages that the other processed",
                "Give each listener a name of its own. If several beans share the method, use an expression, such as"
                        + " #{__listener.name}, or annotate each subclass.");
        return built.computeIfAbsent(
                listener.name(), name -> build(listener, adapted, failures, chunkTime, connection));
    }

    /** Names the beans, too: several may share a method, or a class. */
    private static String describe(@Nullable ListenerDefinition owner, ListenerDefinition listener) {
        if (owner == null) {
            return "";
        }
        String type = type(listener);
        return owner.element().equals(listener.element()) && type(owner).equals(type)
                ? listener.element() + " of two beans of " + type
                : owner.element() + " of a bean of " + type(owner) + " and " + listener.element() + " of a bean of "
                        + type;
    }

    private static String type(ListenerDefinition listener) {
        return AopUtils.getTargetClass(listener.bean()).getSimpleName();
    }

    private IdempotentConsumer<ConsumerRecord<Object, Object>> build(
            ListenerDefinition listener,
            AdaptedListener adapted,
            FailurePolicy failures,
            Duration chunkTime,
            Map<String, Object> connection) {
        ClaimStore store = stores.of(listener);
        RecordReread reread = RecordReread.of(connection);
        rereads.add(reread);
        IdempotentConsumerBuilder<ConsumerRecord<Object, Object>> builder = KafkaRecords.<Object, Object>consumer(
                        listener.name())
                .level(level(listener))
                .transactionPer(transactionPer(listener))
                .messageId(ids.of(listener, adapted, connection))
                .reader(new RecordBytes(reread))
                .failures(failures)
                .chunk(IdempotentConsumerBuilder.DEFAULT_CHUNK_RECORDS, chunkTime)
                .lease(properties.lease())
                .standStillAfter(properties.standStillAfter() == 0 ? Integer.MAX_VALUE : properties.standStillAfter())
                .store(store);
        expiryHeader(listener.name()).map(ExpiryHeader::named).ifPresent(builder::expiry);
        if (listener.isShadow()) {
            builder.shadow();
        } else if (level(listener) == ConsistencyLevel.STRONG) {
            TransactionRunner runner = stores.guarded(listener, transactions.of(listener, store));
            builder.transactions(properties.producer().await() ? Outputs.awaited(runner) : runner);
        }
        payloadCheck(reread).ifPresent(builder::resends);
        if (properties.quarantine().keyOrder() && level(listener) != ConsistencyLevel.NONE && !listener.isShadow()) {
            keepKeyOrder(builder);
        }
        shared.addTo(builder, store);
        return builder.build();
    }

    /** Keeps the order of keys. The keys are those of the records, unless there is a bean that finds them. */
    @SuppressWarnings("unchecked")
    private void keepKeyOrder(IdempotentConsumerBuilder<ConsumerRecord<Object, Object>> builder) {
        KeyExtractor<ConsumerRecord<Object, Object>> own = keys.getIfAvailable();
        if (own == null) {
            builder.keyOrder();
        } else {
            builder.keyOrder(own);
        }
    }

    private Optional<String> expiryHeader(String consumer) {
        String configured = properties.consumer(consumer).expiryHeader();
        return Optional.of(configured == null ? properties.expiry().header() : configured)
                .filter(name -> !name.isBlank());
    }

    private Optional<PayloadCheck> payloadCheck(RecordReread reread) {
        IdempotencyProperties.PayloadCheck settings = properties.payloadCheck();
        return switch (settings.policy()) {
            case OFF -> Optional.empty();
            case SKIP -> Optional.of(payloadCheck(ResendCheck.Policy.SKIP, reread));
            case QUARANTINE -> Optional.of(payloadCheck(ResendCheck.Policy.QUARANTINE, reread));
            case FAIL -> Optional.of(payloadCheck(ResendCheck.Policy.FAIL, reread));
        };
    }

    private PayloadCheck payloadCheck(ResendCheck.Policy policy, RecordReread reread) {
        PayloadCheck.Builder check = PayloadCheck.of(policy)
                .reread(reread)
                .perSecond(properties.payloadCheck().perSecond());
        shared.content().ifAvailable(check::content);
        return check.build();
    }

    @Override
    public void destroy() {
        built.values().forEach(IdempotentConsumer::close);
        rereads.forEach(RecordReread::close);
        ids.close();
    }
}

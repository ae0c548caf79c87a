package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.ContainerProperties.AssignmentCommitOption;
import org.springframework.kafka.listener.adapter.AsyncRepliesAware;
import org.springframework.messaging.handler.annotation.SendTo;
import org.springframework.scheduling.annotation.Async;
import org.springframework.util.ReflectionUtils;

/** Refuses settings that would silently weaken the guarantee of a listener, and warns about those that may. */
final class ListenerChecks {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final TransactionChecks transactions;
    private final StoreChecks stores;

    ListenerChecks(TransactionChecks transactions, StoreChecks stores) {
        this.transactions = transactions;
        this.stores = stores;
    }

    /**
     * Checks a listener and its container before they are wrapped.
     *
     * @param isRetry whether the container is one of a retry topic
     * @throws ListenerRefusedException if a setting would weaken the guarantee; the message says what to change
     */
    void require(
            ListenerDefinition listener,
            ConsistencyLevel level,
            AbstractMessageListenerContainer<Object, Object> container,
            Map<String, Object> kafka,
            boolean isRetry) {
        stores.require(listener, level, kafka, isRetry);
        ContainerProperties properties = container.getContainerProperties();
        refuseIf(
                Boolean.parseBoolean(String.valueOf(kafka.get(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG))),
                listener
                        + " has enable.auto.commit=true: Kafka would commit offsets of records that are not processed yet",
                "Remove spring.kafka.consumer.enable-auto-commit, or enable.auto.commit if the application creates the"
                        + " consumer factory itself.");
        refuseIf(
                properties.getAssignmentCommitOption() == AssignmentCommitOption.NEVER
                        && !"earliest".equals(kafka.get(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG)),
                listener
                        + " commits no offset when a partition is assigned: after a crash at its first record, before the first commit,"
                        + " it would begin behind that record",
                "Keep the default of the container's assignmentCommitOption, or set auto-offset-reset to earliest.");
        methods(listener.element()).forEach(method -> requireMethod(listener, level, method));
        AdaptedListener adapted = AdaptedListener.in(Objects.requireNonNull(properties.getMessageListener()));
        requireAcknowledgment(listener, properties, adapted);
        requireShape(listener, level, adapted);
        refuseIf(
                (isAsync(properties) || methods(listener.element()).stream().anyMatch(ListenerChecks::isLater))
                        && level != ConsistencyLevel.AT_LEAST_ONCE,
                listener + " returns before its work is done, so its transaction would commit too early",
                "Return the result itself, or set level = AT_LEAST_ONCE.");
        if (level != ConsistencyLevel.NONE) {
            transactions.require(listener, level, properties);
        }
        if (listener.transactionPer().orElse(TransactionPer.RECORD) == TransactionPer.POLL) {
            PollChecks.require(listener, level, container);
        }
        warn(listener, kafka);
    }

    /** Checks a listener of a share group. */
    void requireShared(
            ListenerDefinition listener,
            ConsistencyLevel level,
            ContainerProperties properties,
            Map<String, Object> kafka) {
        stores.require(listener, level, kafka, false);
        transactions.require(listener, level, properties);
        for (Method method : methods(listener.element())) {
            requireMethod(listener, level, method);
            ShareChecks.requireMethod(listener, method);
        }
        refuseIf(
                isAsync(properties) || methods(listener.element()).stream().anyMatch(ListenerChecks::isLater),
                listener + " returns before its work is done, so its record would be accepted too early",
                "Return the result itself.");
        warnOfReplies(listener);
        annotations(listener).forEach(annotation -> {
            warnOfErrorHandler(listener, annotation);
            ShareChecks.warnOfProperties(listener, annotation);
        });
    }

    private static void requireMethod(ListenerDefinition listener, ConsistencyLevel level, Method method) {
        refuseIf(
                has(method, Async.class) && level != ConsistencyLevel.NONE,
                listener + " is @Async: its messages would be recorded as processed before its work begins",
                "Remove @Async; for more threads set the concurrency of the listener.");
    }

    /** Refuses adapters that split batches, and methods that take records in a shape that the container does not deliver. */
    private static void requireShape(ListenerDefinition listener, ConsistencyLevel level, AdaptedListener adapted) {
        refuseIf(
                adapted.hasRecordAdapter() && level != ConsistencyLevel.NONE,
                listener
                        + " has a BatchToRecordAdapter, which swallows failures: a failed record counts as processed, and its partial"
                        + " writes commit with the other records of the batch",
                "Let the container deliver single records: remove the adapter, and set batch = \"false\" in the"
                        + " @KafkaListener, or spring.kafka.listener.type=single for all listeners. With transactionPer = POLL the"
                        + " records of a poll still share a transaction.");
        refuseIf(
                methods(listener.element()).stream().anyMatch(adapted::isOfAnotherShape),
                listener + " takes " + (adapted.isBatch() ? "one ConsumerRecord" : "ConsumerRecords")
                        + ", but its container gives it " + (adapted.isBatch() ? "batches" : "single records")
                        + ": each call would fail",
                adapted.isBatch()
                        ? "Take a List<ConsumerRecord<..>>, or set batch = \"false\" in its @KafkaListener, or"
                                + " spring.kafka.listener.type=single for all listeners."
                        : "Take one ConsumerRecord, or set batch = \"true\" in its @KafkaListener, or spring.kafka.listener.type=batch"
                                + " for all listeners.");
    }

    private static void requireAcknowledgment(
            ListenerDefinition listener, ContainerProperties properties, AdaptedListener adapted) {
        refuseIf(
                properties.isAsyncAcks(),
                listener
                        + " has asyncAcks=true: the container pauses until all records of a poll are acknowledged. A record that is"
                        + " rolled back is not acknowledged, so the container would stay paused",
                "Leave asyncAcks out: each record is acknowledged in order, after its transaction.");
        refuseIf(
                MANUAL.contains(properties.getAckMode())
                        && !adapted.isAsync()
                        && !adapted.isAcknowledging(methods(listener.element())),
                listener + " has ack mode " + properties.getAckMode()
                        + " and takes no Acknowledgment: each record would fail, because nobody acknowledges it",
                "Give the listener an Acknowledgment parameter and acknowledge, or keep the default ack mode: offsets are"
                        + " committed after the transaction in any case.");
    }

    static final Set<AckMode> MANUAL = Set.of(AckMode.MANUAL, AckMode.MANUAL_IMMEDIATE);

    static boolean isAsync(ContainerProperties properties) {
        return properties.getMessageListener() instanceof AsyncRepliesAware listener && listener.isAsyncReplies();
    }

    /** spring-kafka recognises only two types by their declaration, but treats each returned future as asynchronous. */
    private static boolean isLater(Method method) {
        return Future.class.isAssignableFrom(method.getReturnType())
                || CompletionStage.class.isAssignableFrom(method.getReturnType());
    }

    /** Warns of a listener whose replies do not go through the outbox. */
    static void warnOfReplies(ListenerDefinition listener) {
        if (elements(listener.element()).stream().anyMatch(element -> has(element, SendTo.class))) {
            log.warn(
                    "{} answers by @SendTo: the reply leaves before the commit, and a duplicate gets none. With"
                            + " idempotency.outbox.enabled=true and the level STRONG it leaves after the commit.",
                    listener);
        }
    }

    private static void warn(ListenerDefinition listener, Map<String, Object> kafka) {
        annotations(listener).forEach(annotation -> warnOfErrorHandler(listener, annotation));
        if ("latest".equals(kafka.getOrDefault(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest"))) {
            log.warn(
                    "{} begins at the latest offset: records that are sent before a partition is first discovered are not"
                            + " processed. Set spring.kafka.consumer.auto-offset-reset=earliest unless you want that.",
                    listener);
        }
    }

    private static Stream<KafkaListener> annotations(ListenerDefinition listener) {
        return elements(listener.element()).stream()
                .flatMap(element ->
                        Stream.ofNullable(AnnotatedElementUtils.findMergedAnnotation(element, KafkaListener.class)));
    }

    private static void warnOfErrorHandler(ListenerDefinition listener, KafkaListener annotation) {
        if (!annotation.errorHandler().isEmpty()) {
            log.warn(
                    "{} has the error handler {}: a message whose failure it swallows counts as processed.",
                    listener,
                    annotation.errorHandler());
        }
    }

    /** Refuses a recoverer that quarantines if there is no quarantine: a failing record would be retried for ever. */
    static void requireNoQuarantine(CommonErrorHandler users, AbstractMessageListenerContainer<?, ?> container) {
        refuseIf(
                QuarantineRecoverer.isIn(users),
                "The error handler of listener " + container.getListenerId()
                        + " quarantines records that keep failing, but there is no quarantine: a failing record would stop its partition"
                        + " for ever",
                "Define a QuarantineStore, such as JdbcQuarantine, or give the handler another recoverer, such as"
                        + " DeadLetterPublishingRecoverer.");
    }

    /** Warns that records which keep failing are skipped, if there is neither an error handler nor a quarantine. */
    static void warnOfDroppedRecords(AbstractMessageListenerContainer<Object, Object> container) {
        log.warn(
                "Listener {} has no error handler of its own, and there is no quarantine: after ten failures a record is logged and"
                        + " skipped. Define a QuarantineStore, or a DefaultErrorHandler with a recoverer, such as"
                        + " DeadLetterPublishingRecoverer.",
                container.getListenerId());
    }

    private static List<AnnotatedElement> elements(AnnotatedElement element) {
        return Stream.concat(Stream.of(element), methods(element).stream().filter(method -> method != element))
                .toList();
    }

    /** Returns the methods that handle records: the listener itself, or those of its class. */
    static List<Method> methods(AnnotatedElement element) {
        if (element instanceof Method method) {
            return List.of(method);
        }
        return Stream.of(ReflectionUtils.getUniqueDeclaredMethods((Class<?>) element))
                .filter(method -> has(method, KafkaHandler.class))
                .toList();
    }

    private static boolean has(AnnotatedElement element, Class<? extends java.lang.annotation.Annotation> type) {
        return AnnotatedElementUtils.hasAnnotation(element, type)
                || (element instanceof Method method
                        && AnnotatedElementUtils.hasAnnotation(method.getDeclaringClass(), type)
                        && type == Async.class);
    }

    static void refuseIf(boolean condition, String what, String action) {
        if (condition) {
            throw new ListenerRefusedException(what, action);
        }
    }
}

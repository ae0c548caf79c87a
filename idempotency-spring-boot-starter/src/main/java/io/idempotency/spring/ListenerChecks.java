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

/** Refuses what would silently weaken the promise of a listener, and warns of what may. */
final class ListenerChecks {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final TransactionChecks transactions;
    private final StoreChecks stores;

    ListenerChecks(TransactionChecks transactions, StoreChecks stores) {
        this.transactions = transactions;
        this.stores = stores;
    }

    /**
     * Looks at a listener and its container before they are wrapped.
     *
     * @param isRetry whether the container is one of a retry topic
     * @throws ListenerRefusedException with what to change
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
                listener + " has enable.auto.commit=true: offsets of records that are not processed would be committed",
                "Leave spring.kafka.consumer.enable-auto-commit out, and enable.auto.commit where the application makes the"
                        + " consumer factory itself.");
        refuseIf(
                properties.getAssignmentCommitOption() == AssignmentCommitOption.NEVER
                        && !"earliest".equals(kafka.get(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG)),
                listener
                        + " commits no offset when a partition is assigned: a crash at its first record, before the first"
                        + " commit, would begin behind it",
                "Leave the container's assignmentCommitOption at its default, or set auto-offset-reset to earliest.");
        methods(listener.element()).forEach(method -> requireMethod(listener, level, method));
        AdaptedListener adapted = AdaptedListener.in(Objects.requireNonNull(properties.getMessageListener()));
        requireAcknowledgment(listener, properties, adapted);
        requireShape(listener, level, adapted);
        refuseIf(
                (isAsync(properties) || methods(listener.element()).stream().anyMatch(ListenerChecks::isLater))
                        && level != ConsistencyLevel.AT_LEAST_ONCE,
                listener + " returns before its work is done, and its transaction would commit before that",
                "Return the result itself, or set level = AT_LEAST_ONCE.");
        if (level != ConsistencyLevel.NONE) {
            transactions.require(listener, level, properties);
        }
        if (listener.transactionPer().orElse(TransactionPer.RECORD) == TransactionPer.POLL) {
            PollChecks.require(listener, level, container);
        }
        warn(listener, kafka);
    }

    private static void requireMethod(ListenerDefinition listener, ConsistencyLevel level, Method method) {
        refuseIf(
                has(method, Async.class) && level != ConsistencyLevel.NONE,
                listener + " is @Async: it would be recorded as processed before its work is begun",
                "Remove @Async; for more threads set the concurrency of the listener.");
    }

    /** An adapter gives single records to a listener in a container for batches. */
    private static void requireShape(ListenerDefinition listener, ConsistencyLevel level, AdaptedListener adapted) {
        refuseIf(
                adapted.hasRecordAdapter() && level != ConsistencyLevel.NONE,
                listener
                        + " has a BatchToRecordAdapter: what fails ends in the adapter, so it counts as processed, and what it"
                        + " wrote until then commits with the other records of the batch",
                "Let the container deliver single records: leave the adapter out, and set batch = \"false\" in the @KafkaListener"
                        + " (spring.kafka.listener.type=single is for all). With transactionPer = POLL the records of a poll"
                        + " share a transaction all the same.");
        refuseIf(
                methods(listener.element()).stream().anyMatch(adapted::isOfAnotherShape),
                listener + " takes " + (adapted.isBatch() ? "one ConsumerRecord" : "ConsumerRecords")
                        + ", and its container gives it " + (adapted.isBatch() ? "batches" : "single records")
                        + ": no call would succeed",
                adapted.isBatch()
                        ? "Take a List<ConsumerRecord<..>>, or set batch = \"false\" in its @KafkaListener"
                                + " (spring.kafka.listener.type=single is for all)."
                        : "Take one ConsumerRecord, or set batch = \"true\" in its @KafkaListener"
                                + " (spring.kafka.listener.type=batch is for all).");
    }

    private static void requireAcknowledgment(
            ListenerDefinition listener, ContainerProperties properties, AdaptedListener adapted) {
        refuseIf(
                properties.isAsyncAcks(),
                listener
                        + " has asyncAcks=true: the container pauses until all records of a poll are acknowledged, and one"
                        + " that is rolled back comes again without that, so that it would stay paused",
                "Leave asyncAcks out: each record is acknowledged in order, behind its transaction.");
        refuseIf(
                MANUAL.contains(properties.getAckMode())
                        && !adapted.isAsync()
                        && !adapted.isAcknowledging(methods(listener.element())),
                listener + " has ack mode " + properties.getAckMode()
                        + " and takes no Acknowledgment: every record would" + " fail, for nobody acknowledges it",
                "Give the listener an Acknowledgment parameter and acknowledge, or leave the ack mode at its default: offsets"
                        + " are committed behind the transaction all the same.");
    }

    private static final Set<AckMode> MANUAL = Set.of(AckMode.MANUAL, AckMode.MANUAL_IMMEDIATE);

    static boolean isAsync(ContainerProperties properties) {
        return properties.getMessageListener() instanceof AsyncRepliesAware listener && listener.isAsyncReplies();
    }

    /** spring-kafka knows only its own two types by their declaration, and takes each future that comes for one. */
    private static boolean isLater(Method method) {
        return Future.class.isAssignableFrom(method.getReturnType())
                || CompletionStage.class.isAssignableFrom(method.getReturnType());
    }

    private static void warn(ListenerDefinition listener, Map<String, Object> kafka) {
        for (AnnotatedElement element : elements(listener.element())) {
            if (has(element, SendTo.class)) {
                log.warn(
                        "{} answers by @SendTo: the reply leaves before the commit, and a duplicate gets none. Send it through an"
                                + " outbox in the same transaction.",
                        listener);
            }
            KafkaListener annotation = AnnotatedElementUtils.findMergedAnnotation(element, KafkaListener.class);
            if (annotation != null && !annotation.errorHandler().isEmpty()) {
                log.warn(
                        "{} has the error handler {}: a message whose failure it swallows counts as processed.",
                        listener,
                        annotation.errorHandler());
            }
        }
        if ("latest".equals(kafka.getOrDefault(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest"))) {
            log.warn(
                    "{} begins at the latest offset: records that were sent before a partition is discovered for the first time are"
                            + " not handled. Set spring.kafka.consumer.auto-offset-reset=earliest unless that is meant.",
                    listener);
        }
    }

    /** Refuses a recoverer that has nowhere to put a record: it would come again for ever. */
    static void requireNoQuarantine(CommonErrorHandler users, AbstractMessageListenerContainer<?, ?> container) {
        refuseIf(
                QuarantineRecoverer.isIn(users),
                "The error handler of listener " + container.getListenerId()
                        + " puts what fails for good into quarantine, and there is none: a failing record would stop its partition for"
                        + " ever",
                "Define a QuarantineStore, such as JdbcQuarantine, or give the handler another recoverer, such as"
                        + " DeadLetterPublishingRecoverer.");
    }

    /** Says what happens to records that fail for good where the container has no error handler and there is no quarantine. */
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

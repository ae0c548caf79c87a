package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.ShareProcessor;
import io.idempotency.store.IdempotencyException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.DefaultShareConsumerFactory;
import org.springframework.kafka.listener.AcknowledgingShareConsumerAwareMessageListener;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.ShareAckMode;
import org.springframework.kafka.listener.ShareConsumerRecordRecoverer;
import org.springframework.kafka.listener.adapter.ShareRecordMessagingMessageListenerAdapter;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.ShareAcknowledgment;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;

/** Refuses what is not sound for a listener of a share group. */
final class ShareChecks {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);
    private static final List<Class<?>> NOT_GIVEN =
            List.of(ShareAcknowledgment.class, ShareConsumer.class, Acknowledgment.class, Consumer.class);

    private ShareChecks() {}

    /** The factory is replaced, so nothing of it may be lost. */
    static void requireFactory(ListenerDefinition listener, Object factory) {
        refuseIf(
                factory.getClass() != DefaultShareConsumerFactory.class,
                listener + " has Kafka consumers of " + factory.getClass().getName()
                        + ", and the library replaces them by others that renew the locks of their records",
                "Use a DefaultShareConsumerFactory, with properties and deserializers.");
    }

    static void require(ListenerDefinition listener, ConsistencyLevel level, IdempotencyProperties properties) {
        refuseIf(
                level != ConsistencyLevel.STRONG && level != ConsistencyLevel.AT_LEAST_ONCE,
                listener + " is on a share group and has the level " + level
                        + ". The broker delivers a record again whenever its lock runs out",
                "Set level = STRONG or AT_LEAST_ONCE.");
        refuseIf(
                listener.isShadow(),
                listener
                        + " is on a share group and is to be watched in shadow mode, but its records have to be acknowledged",
                "Remove shadow.");
        refuseIf(
                listener.transactionPer().orElse(TransactionPer.RECORD) == TransactionPer.POLL,
                listener
                        + " is on a share group, and its records are to share a transaction: one would hold back the others",
                "Remove transactionPer = POLL.");
        refuseIf(
                properties.quarantine().keyOrder(),
                listener + " is on a share group, which has no order, and idempotency.quarantine.key-order=true",
                "Remove the property, or have this listener in an application of its own.");
    }

    static void requireContainer(
            ListenerDefinition listener, ContainerProperties container, Object recoverer, Map<String, Object> kafka) {
        refuseIf(
                container.getShareAckMode() != ShareAckMode.EXPLICIT,
                listener + " has the share ack mode " + container.getShareAckMode()
                        + ", but the library acknowledges: after the commit, and not before",
                "Keep the default, ShareAckMode.EXPLICIT.");
        refuseIf(
                recoverer != ShareConsumerRecordRecoverer.REJECTING,
                listener
                        + " has a ShareConsumerRecordRecoverer, which would never be called: what fails is tried again, and then quarantined",
                "Remove the recoverer.");
        try {
            Map<String, Object> unused = ShareProcessor.consumer(kafka);
        } catch (IdempotencyException wrong) {
            throw new ListenerRefusedException(
                    listener + " has a wrong property: " + wrong.getMessage(), "Remove it from the consumer factory.");
        }
    }

    /** A supplier is asked once, for a deserializer that nobody uses. */
    static void requireDeserializers(
            ListenerDefinition listener, DefaultShareConsumerFactory<?, ?> factory, Map<String, Object> kafka) {
        boolean isNamed = Stream.of(
                        ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG)
                .anyMatch(name -> name(kafka.get(name)).equals(ErrorHandlingDeserializer.class.getName()));
        refuseIf(
                isNamed
                        || factory.getKeyDeserializer() instanceof ErrorHandlingDeserializer<?>
                        || factory.getValueDeserializer() instanceof ErrorHandlingDeserializer<?>,
                listener
                        + " has an ErrorHandlingDeserializer: a share container does not look for the failures that it hides, so the listener would get null",
                "Use its delegate: the library quarantines what cannot be deserialized.");
    }

    static void requireListener(ListenerDefinition listener, Object target) {
        refuseIf(
                target instanceof AcknowledgingShareConsumerAwareMessageListener<?, ?>
                        && !(target instanceof ShareRecordMessagingMessageListenerAdapter<?, ?>),
                listener
                        + " takes a ShareAcknowledgment and a ShareConsumer, which it does not get: the library acknowledges, on another thread",
                "Implement MessageListener.");
    }

    static void requireMethod(ListenerDefinition listener, Method method) {
        refuseIf(
                Stream.of(method.getParameterTypes())
                        .anyMatch(type -> NOT_GIVEN.stream().anyMatch(each -> each.isAssignableFrom(type))),
                listener
                        + " takes an acknowledgment or a Kafka consumer, which it does not get: the library acknowledges, on another thread",
                "Remove the parameter.");
    }

    static void warnOfProperties(ListenerDefinition listener, KafkaListener annotation) {
        if (annotation.properties().length > 0) {
            log.warn(
                    "{} is on a share group and has properties in its @KafkaListener, which spring-kafka does not read there: {}. Give them to the"
                            + " DefaultShareConsumerFactory.",
                    listener,
                    String.join(", ", annotation.properties()));
        }
    }

    private static String name(@Nullable Object type) {
        return type instanceof Class<?> known
                ? known.getName()
                : String.valueOf(type).trim();
    }
}

package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.ConsistencyLevel;
import java.util.Set;
import java.util.stream.Stream;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;

/** Refuses settings that have no effect if the records of a poll share a transaction: their container runs in batch mode. */
final class PollChecks {

    private static final Set<AckMode> SINGLE = Set.of(AckMode.RECORD, AckMode.MANUAL, AckMode.MANUAL_IMMEDIATE);

    private PollChecks() {}

    private record Loss(boolean isLost, String what) {}

    static void require(
            ListenerDefinition listener,
            ConsistencyLevel level,
            AbstractMessageListenerContainer<Object, Object> container) {
        ContainerProperties properties = container.getContainerProperties();
        AckMode ackMode = properties.getAckMode();
        Stream.of(
                        new Loss(
                                level != ConsistencyLevel.STRONG,
                                "level " + level + ", which has no transaction to share"),
                        new Loss(
                                AnnotatedElementUtils.hasAnnotation(listener.element(), RetryableTopic.class),
                                "@RetryableTopic, which forwards single records"),
                        new Loss(
                                ListenerChecks.isAsync(properties),
                                "asynchronous results, whose failures would not be seen"),
                        new Loss(
                                SINGLE.contains(ackMode),
                                "ack mode " + ackMode + ", which acknowledges single records"),
                        new Loss(
                                container.getRecordInterceptor() != null,
                                "a RecordInterceptor, which would not be called"),
                        new Loss(
                                properties.isDeliveryAttemptHeader(),
                                "the delivery attempt header, which would be missing"),
                        new Loss(
                                properties.isObservationEnabled(),
                                "observations of single records, which would be missing"),
                        new Loss(properties.isStopImmediate(), "stopImmediate, which would have no effect"))
                .filter(Loss::isLost)
                .findFirst()
                .ifPresent(lost -> refuseIf(
                        true,
                        listener + " has transactionPer = POLL together with " + lost.what(),
                        "Use transactionPer = RECORD, or do without it."));
    }
}

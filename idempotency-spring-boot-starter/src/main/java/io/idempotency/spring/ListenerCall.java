package io.idempotency.spring;

import io.micrometer.observation.Observation;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.AcknowledgingConsumerAwareMessageListener;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;

/**
 * Calls a listener with one record in the way of its container: with the container's headers, interceptors and observation, but without its error handler,
 * and without the commit of an offset. Thread-safe.
 */
final class ListenerCall {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final AbstractMessageListenerContainer<Object, Object> container;
    private final Observations observations;
    private final Consumer<Object, Object> consumer;

    ListenerCall(AbstractMessageListenerContainer<Object, Object> container, Observations observations) {
        this.container = container;
        this.observations = observations;
        this.consumer = NoConsumer.of(container);
    }

    /** Nothing is committed to Kafka: the message is settled with its transaction, or stays where it is. */
    private static final class NoOffset implements Acknowledgment {

        @Override
        public void acknowledge() {}

        @Override
        public void nack(Duration sleep) {}

        @Override
        public void nack(int index, Duration sleep) {}
    }

    /**
     * Calls the listener. Returns false if an interceptor or a filter has taken the record away.
     *
     * @param attempt the number of this attempt to handle the record
     */
    boolean call(ConsumerRecord<Object, Object> record, int attempt, FittedContainer fitted) {
        byte[] info = container.getListenerInfo();
        if (info != null) {
            record.headers().add(KafkaHeaders.LISTENER_INFO, info);
        }
        Object listener = fitted.listener();
        if (listener instanceof PolledListener<?> polled) {
            return callBatch(record, polled);
        }
        if (container.getContainerProperties().isDeliveryAttemptHeader()) {
            byte[] number = ByteBuffer.allocate(Integer.BYTES).putInt(attempt).array();
            record.headers().add(KafkaHeaders.DELIVERY_ATTEMPT, number);
        }
        return callRecord(record, listener, fitted.settled());
    }

    @SuppressWarnings("unchecked")
    private boolean callRecord(ConsumerRecord<Object, Object> record, Object listener, SettledRecords settled) {
        RecordInterceptor<Object, Object> own = container.getRecordInterceptor();
        RecordInterceptor<Object, Object> around = own == null ? (given, kafka) -> given : own;
        around.setupThreadState(consumer);
        Observation observation = observations.begin(container, record);
        Observation.Scope scope = observation.openScope();
        boolean isCalled = false;
        try {
            ConsumerRecord<Object, Object> given = around.intercept(record, consumer);
            if (given != null) {
                isCalled = true;
                ((AcknowledgingConsumerAwareMessageListener<Object, Object>) listener)
                        .onMessage(given, acknowledgment(), consumer);
            }
            tell(() -> around.success(record, consumer));
            return !settled.isEmpty();
        } catch (RuntimeException e) {
            observation.error(e);
            tell(() -> around.failure(record, e, consumer));
            throw e;
        } finally {
            // A filter ends the observation of what it takes away.
            boolean isFiltered = isCalled && settled.isEmpty();
            if (!isCalled || !(isFiltered || Observations.areEndedBy(listener))) {
                observation.stop();
            }
            scope.close();
            around.afterRecord(record, consumer);
            around.clearThreadState(consumer);
        }
    }

    private boolean callBatch(ConsumerRecord<Object, Object> record, PolledListener<?> listener) {
        BatchInterceptor<Object, Object> own = container.getBatchInterceptor();
        BatchInterceptor<Object, Object> around = own == null ? (given, kafka) -> given : own;
        ConsumerRecords<Object, Object> poll =
                new ConsumerRecords<>(Map.of(WaitingException.partition(record), List.of(record)), Map.of());
        around.setupThreadState(consumer);
        try {
            ConsumerRecords<Object, Object> given = around.intercept(poll, consumer);
            if (given == null || given.isEmpty()) {
                return false;
            }
            callBatch(given, listener, around);
            return true;
        } finally {
            around.clearThreadState(consumer);
        }
    }

    /** Like the container, tells the interceptor of the records that it returned, and of none if it returned none. */
    private void callBatch(
            ConsumerRecords<Object, Object> given,
            PolledListener<?> listener,
            BatchInterceptor<Object, Object> around) {
        List<ConsumerRecord<Object, Object>> records = new ArrayList<>();
        given.forEach(records::add);
        try {
            records.forEach(each -> observations.observeInBatch(container, each));
            listener.onMessage(records, acknowledgment(), consumer);
            tell(() -> around.success(given, consumer));
        } catch (RuntimeException e) {
            tell(() -> around.failure(given, e, consumer));
            throw e;
        }
    }

    private @Nullable Acknowledgment acknowledgment() {
        return ListenerChecks.MANUAL.contains(container.getContainerProperties().getAckMode()) ? new NoOffset() : null;
    }

    /** The container survives interceptors that fail after the listener, too. */
    private static void tell(Runnable interceptor) {
        try {
            interceptor.run();
        } catch (RuntimeException e) {
            log.error("An interceptor failed after the listener was called; the message is not affected.", e);
        }
    }
}

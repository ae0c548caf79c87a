package io.idempotency.spring;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.core.ResolvableType;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.DelegatingMessageListener;
import org.springframework.kafka.listener.ListenerType;
import org.springframework.kafka.listener.ListenerUtils;
import org.springframework.kafka.listener.adapter.BatchMessagingMessageListenerAdapter;
import org.springframework.kafka.listener.adapter.DelegatingInvocableHandler;
import org.springframework.kafka.listener.adapter.HandlerAdapter;
import org.springframework.kafka.listener.adapter.MessagingMessageListenerAdapter;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaNull;
import org.springframework.kafka.support.converter.RecordMessageConverter;
import org.springframework.messaging.Message;
import org.springframework.messaging.handler.invocation.InvocableHandlerMethod;

/**
 * Gives access to the innermost listener of a container, and to the parts of spring-kafka's adapter that have no accessor.
 *
 * @param listener spring-kafka's adapter of the application's methods, or the application's own listener
 */
record AdaptedListener(Object listener) {

    static AdaptedListener in(Object listener) {
        Object target = listener;
        while (target instanceof DelegatingMessageListener<?> delegating) {
            target = delegating.getDelegate();
        }
        return new AdaptedListener(target);
    }

    /** Returns whether its methods declare asynchronous results, such as futures. */
    boolean isAsync() {
        return listener instanceof MessagingMessageListenerAdapter<?, ?> adapter && adapter.isAsyncReplies();
    }

    /**
     * Returns whether a method may return a future without declaring it, as one that declares Object may. spring-kafka learns about it only from the
     * result.
     */
    boolean mayBeAsync() {
        return listener instanceof MessagingMessageListenerAdapter<?, ?>
                && ListenerChecks.methods(element()).stream()
                        .anyMatch(method -> method.getReturnType().isAssignableFrom(CompletableFuture.class));
    }

    boolean isBatch() {
        return listener instanceof BatchMessageListener<?, ?>;
    }

    /** Returns whether an adapter splits batches, and calls a method with each record. */
    boolean hasRecordAdapter() {
        return listener instanceof BatchMessagingMessageListenerAdapter<?, ?>
                && field(listener, "batchToRecordAdapter") != null;
    }

    /** Returns the object whose methods handle messages. */
    Object bean() {
        return hasHandler() ? handler().getBean() : listener;
    }

    /** Returns the one method that handles messages, or the class that has them. */
    AnnotatedElement element() {
        Class<?> type = AopUtils.getTargetClass(bean());
        Object method = hasHandler() ? field(handler(), "invokerHandlerMethod") : null;
        return method == null
                ? type
                : AopUtils.getMostSpecificMethod(((InvocableHandlerMethod) method).getMethod(), type);
    }

    /**
     * Returns whether each of the methods has a parameter that carries an acknowledgment; for a listener without such methods, whether it takes one
     * itself.
     */
    boolean isAcknowledging(List<Method> methods) {
        if (listener instanceof MessagingMessageListenerAdapter<?, ?>) {
            return methods.stream()
                    .allMatch(method -> parameters(method)
                            .anyMatch(type -> isAcknowledgment(type) || isAcknowledgment(type.getGeneric(0))));
        }
        ListenerType type = ListenerUtils.determineListenerType(listener);
        return type == ListenerType.ACKNOWLEDGING || type == ListenerType.ACKNOWLEDGING_CONSUMER_AWARE;
    }

    /** Messages and header maps carry it, too. */
    private static boolean isAcknowledgment(ResolvableType type) {
        Class<?> parameter = type.resolve(Object.class);
        return Acknowledgment.class.isAssignableFrom(parameter)
                || Message.class.isAssignableFrom(parameter)
                || Map.class.isAssignableFrom(parameter);
    }

    /**
     * Returns whether a method takes records in a shape that the container does not deliver: one where it delivers batches, or several where it
     * delivers one.
     */
    boolean isOfAnotherShape(Method method) {
        return listener instanceof MessagingMessageListenerAdapter<?, ?>
                && !hasRecordAdapter()
                && parameters(method).anyMatch(type -> isBatch() ? isRecord(type) : isBatch(type));
    }

    private static boolean isRecord(ResolvableType type) {
        return type.resolve() == ConsumerRecord.class;
    }

    private static boolean isBatch(ResolvableType type) {
        return type.resolve() == ConsumerRecords.class
                || (type.resolve() == List.class && isRecord(type.getGeneric(0)));
    }

    private static Stream<ResolvableType> parameters(Method method) {
        return IntStream.range(0, method.getParameterCount())
                .mapToObj(i -> ResolvableType.forMethodParameter(method, i));
    }

    /** Returns the conversion of a record into the payload of the listener method: null for a tombstone, the value if nothing converts it. */
    Function<ConsumerRecord<?, ?>, @Nullable Object> payloads() {
        if (!(listener instanceof MessagingMessageListenerAdapter<?, ?>)) {
            return ConsumerRecord::value;
        }
        RecordMessageConverter converter =
                (RecordMessageConverter) Objects.requireNonNull(field(listener, "messageConverter"));
        Object inferred = field(listener, "inferredType");
        Type type = (Type) (inferred == null ? field(listener, "fallbackType") : inferred);
        Type ofOne = isBatch() ? element(type) : type;
        return record -> {
            Object payload = converter.toMessage(record, null, null, ofOne).getPayload();
            return payload instanceof KafkaNull ? null : payload;
        };
    }

    /** Returns the element type of a list of payloads. */
    private static @Nullable Type element(@Nullable Type type) {
        ResolvableType list = ResolvableType.forType(type);
        return list.hasGenerics() ? list.getGeneric(0).getType() : type;
    }

    /** Other libraries extend the adapter, and leave it without a method to call. */
    private boolean hasHandler() {
        return listener instanceof MessagingMessageListenerAdapter<?, ?> && field(listener, "handlerMethod") != null;
    }

    /** The adapter has a setter for its handler, and no getter. */
    HandlerAdapter handler() {
        return (HandlerAdapter) Objects.requireNonNull(field(listener, "handlerMethod"));
    }

    /** Replaces the handler by one around the same method or methods. */
    void replaceHandler(
            Function<InvocableHandlerMethod, HandlerAdapter> ofOne,
            Function<DelegatingInvocableHandler, HandlerAdapter> ofSeveral) {
        HandlerAdapter before = handler();
        Object method = field(before, "invokerHandlerMethod");
        ((MessagingMessageListenerAdapter<?, ?>) listener)
                .setHandlerMethod(
                        method != null
                                ? ofOne.apply((InvocableHandlerMethod) method)
                                : ofSeveral.apply((DelegatingInvocableHandler)
                                        Objects.requireNonNull(field(before, "delegatingHandler"))));
    }

    /**
     * Has replies sent through the outbox, converted as by the template that the listener has. Not if that template has another producer factory than the outbox:
     * its serializers or its cluster may be others.
     *
     * @return whether replies are sent through the outbox
     */
    boolean replyBy(OutboxTemplate<?, ?> outbox) {
        if (listener instanceof MessagingMessageListenerAdapter<?, ?> adapter
                && field(listener, "replyTemplate") instanceof KafkaTemplate<?, ?> template
                && template.getProducerFactory() == outbox.getProducerFactory()) {
            adapter.setReplyTemplate(outbox.like(template));
            return true;
        }
        return false;
    }

    static @Nullable Object field(Object object, String name) {
        return new DirectFieldAccessor(object).getPropertyValue(name);
    }
}

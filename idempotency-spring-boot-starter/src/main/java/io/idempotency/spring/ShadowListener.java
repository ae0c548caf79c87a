package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import io.idempotency.WatchedCall;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.DelegatingMessageListener;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.util.ClassUtils;

/**
 * Stands in for a listener of any kind, and watches its calls. It has all the interfaces of that listener, so that the container treats it alike, and passes
 * on every call as it is. A record counts as handled
 *
 * <ul>
 *   <li>when an asynchronous result is there: spring-kafka acknowledges a failed one, too
 *   <li>otherwise, when it is acknowledged, if the listener acknowledges, perhaps on another thread
 *   <li>otherwise, when the listener has returned
 * </ul>
 *
 * <p>Thread-safe.
 */
final class ShadowListener implements InvocationHandler {

    private final Object target;
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> consumer;

    private ShadowListener(Object target, IdempotentConsumer<ConsumerRecord<Object, Object>> consumer) {
        this.target = target;
        this.consumer = consumer;
    }

    /** Returns the stand-in. */
    static Object beside(Object target, IdempotentConsumer<ConsumerRecord<Object, Object>> consumer) {
        WatchedHandler.watch(target);
        Set<Class<?>> interfaces = new LinkedHashSet<>(ClassUtils.getAllInterfacesAsSet(target));
        interfaces.add(DelegatingMessageListener.class);
        return Proxy.newProxyInstance(
                target.getClass().getClassLoader(),
                interfaces.toArray(Class<?>[]::new),
                new ShadowListener(target, consumer));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] given) throws Throwable {
        @Nullable Object[] arguments = given == null ? new Object[0] : given;
        return switch (method.getName()) {
            case "getDelegate" -> target;
            case "equals" -> proxy == arguments[0];
            case "onMessage" -> watched(method, arguments);
            case "onPartitionsRevoked" -> revoked(method, arguments);
            default -> call(method, arguments);
        };
    }

    private @Nullable Object watched(Method method, @Nullable Object[] arguments) throws Throwable {
        List<ConsumerRecord<Object, Object>> records = records(arguments[0]);
        WatchedCall call = consumer.watch(records);
        WatchedAck ack = null;
        @Nullable Object[] passed = arguments.clone();
        for (int i = 1; i < passed.length; i++) {
            if (passed[i] instanceof Acknowledgment own) {
                ack = new WatchedAck(own, call, records.size());
                passed[i] = ack;
            }
        }
        WatchedHandler.Results results = WatchedHandler.begin();
        try {
            Object nothing = call(method, passed);
            if (results.last() != null) {
                whenComplete(results.last(), call, records.size());
            } else if (ack == null) {
                call.handled(records.size());
            } else {
                ack.returned();
            }
            return nothing;
        } catch (Throwable thrown) {
            failed(call, records, arguments[0], thrown);
            throw thrown;
        } finally {
            results.end();
        }
    }

    private static void whenComplete(CompletionStage<?> result, WatchedCall call, int size) {
        CompletionStage<?> unused = result.whenComplete((value, failure) -> {
            if (failure == null) {
                call.handled(size);
            } else if (size == 1) {
                call.failed(0);
            }
        });
    }

    /** Returns the records of a call. A filter may remove some from the list later. */
    @SuppressWarnings("unchecked")
    private static List<ConsumerRecord<Object, Object>> records(@Nullable Object data) {
        List<ConsumerRecord<Object, Object>> records = new ArrayList<>();
        if (data instanceof ConsumerRecord<?, ?> one) {
            records.add((ConsumerRecord<Object, Object>) one);
        } else if (data instanceof List<?> several) {
            records.addAll((List<ConsumerRecord<Object, Object>>) several);
        } else if (data instanceof ConsumerRecords<?, ?> poll) {
            ((ConsumerRecords<Object, Object>) poll).forEach(records::add);
        }
        return records;
    }

    /** Notes the record that failed. If a batch listener names it, the container commits the offsets of those before it. */
    private static void failed(
            WatchedCall call, List<ConsumerRecord<Object, Object>> records, @Nullable Object data, Throwable thrown) {
        int at = records.size() == 1 ? 0 : -1;
        for (Throwable cause : Failure.causes(thrown)) {
            if (cause instanceof BatchListenerFailedException named) {
                List<?> left = data instanceof List<?> several ? several : records;
                Object record = named.getRecord();
                if (record == null && named.getIndex() >= 0 && named.getIndex() < left.size()) {
                    record = left.get(named.getIndex());
                }
                at = records.indexOf(record);
            }
        }
        if (at >= 0) {
            call.handled(at);
            call.failed(at);
        }
    }

    private @Nullable Object revoked(Method method, @Nullable Object[] arguments) throws Throwable {
        Object result = call(method, arguments);
        if (arguments.length > 0 && arguments[0] instanceof Collection<?> partitions) {
            for (Object each : partitions) {
                if (each instanceof TopicPartition partition) {
                    consumer.revoked(partition.topic(), partition.partition());
                }
            }
        }
        return result;
    }

    private @Nullable Object call(Method method, @Nullable Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        }
    }
}

package io.idempotency.testkit.faults;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.kafka.listener.adapter.AbstractDelegatingMessageListenerAdapter;
import org.springframework.kafka.listener.adapter.DelegatingInvocableHandler;
import org.springframework.kafka.listener.adapter.HandlerAdapter;
import org.springframework.kafka.listener.adapter.MessagingMessageListenerAdapter;
import org.springframework.messaging.Message;
import org.springframework.messaging.handler.invocation.InvocableHandlerMethod;

/** Stands around the method of a {@code @KafkaListener}, inside of everything else: claims, transactions, filters. */
final class SpringHandler extends HandlerAdapter {

    /** Fields without accessors. */
    private static final String HANDLER = "handlerMethod";

    private static final String METHOD = "invokerHandlerMethod";
    private static final String METHODS = "delegatingHandler";

    private final Probe probe;

    private SpringHandler(InvocableHandlerMethod method, Probe probe) {
        super(method);
        this.probe = probe;
    }

    private SpringHandler(DelegatingInvocableHandler methods, Probe probe) {
        super(methods);
        this.probe = probe;
    }

    /** Puts itself around the method that the listener calls in the end. Returns false if that is no method of a {@code @KafkaListener}. */
    static boolean putAround(Object listener, Probe probe) {
        Object inner = listener;
        while (inner instanceof AbstractDelegatingMessageListenerAdapter<?> delegating) {
            inner = delegating.getDelegate();
        }
        if (!(inner instanceof MessagingMessageListenerAdapter<?, ?> adapter)) {
            return false;
        }
        Object handler = new DirectFieldAccessor(adapter).getPropertyValue(HANDLER);
        if (handler instanceof HandlerAdapter && !(handler instanceof SpringHandler)) {
            DirectFieldAccessor fields = new DirectFieldAccessor(handler);
            adapter.setHandlerMethod(
                    fields.getPropertyValue(METHOD) instanceof InvocableHandlerMethod method
                            ? new SpringHandler(method, probe)
                            : new SpringHandler(
                                    (DelegatingInvocableHandler)
                                            Objects.requireNonNull(fields.getPropertyValue(METHODS)),
                                    probe));
        }
        return handler != null;
    }

    @Override
    public @Nullable Object invoke(Message<?> message, @Nullable Object... provided) throws Exception {
        probe.handlerBegins();
        Throwable thrown = null;
        try {
            return super.invoke(message, provided);
        } catch (Throwable e) {
            thrown = e;
            throw e;
        } finally {
            probe.handlerEnds(thrown);
        }
    }
}

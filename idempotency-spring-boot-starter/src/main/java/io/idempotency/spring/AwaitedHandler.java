package io.idempotency.spring;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.adapter.AdapterUtils;
import org.springframework.kafka.listener.adapter.DelegatingInvocableHandler;
import org.springframework.kafka.listener.adapter.HandlerAdapter;
import org.springframework.kafka.listener.adapter.InvocationResult;
import org.springframework.kafka.listener.adapter.MessagingMessageListenerAdapter;
import org.springframework.messaging.Message;
import org.springframework.messaging.handler.invocation.InvocableHandlerMethod;
import reactor.core.publisher.Mono;

/**
 * Calls a listener method whose result comes later, and waits for it on the thread of the container while the lease is renewed.
 *
 * <p>Left to itself, the container acknowledges a result that failed before its error handler sees it: after a crash in between the message is
 * lost. An acknowledgment held back for it would keep the consumer paused, once a later one has come.
 */
final class AwaitedHandler extends HandlerAdapter {

    private AwaitedHandler(InvocableHandlerMethod method) {
        super(method);
    }

    private AwaitedHandler(DelegatingInvocableHandler methods) {
        super(methods);
    }

    /** Lets the listener wait for its results, if they come later. Returns whether they do. */
    static boolean await(Object listener) {
        AdaptedListener adapted = AdaptedListener.in(listener);
        if (!adapted.isAsync()) {
            return false;
        }
        ((MessagingMessageListenerAdapter<?, ?>) adapted.listener()).setHandlerMethod(of(adapted.handler()));
        return true;
    }

    private static HandlerAdapter of(HandlerAdapter handler) {
        Object method = AdaptedListener.field(handler, "invokerHandlerMethod");
        return method != null
                ? new AwaitedHandler((InvocableHandlerMethod) method)
                : new AwaitedHandler((DelegatingInvocableHandler)
                        Objects.requireNonNull(AdaptedListener.field(handler, "delegatingHandler")));
    }

    /** What comes back is there: the container is not to wait for acknowledgments from other threads. */
    @Override
    public boolean isAsyncReplies() {
        return false;
    }

    @Override
    public @Nullable Object invoke(Message<?> message, @Nullable Object... arguments) throws Exception {
        Object result = super.invoke(message, arguments);
        if (result instanceof InvocationResult handled) {
            Object value = awaited(handled.result());
            return value == null ? null : new InvocationResult(value, handled.sendTo(), handled.messageReturnType());
        }
        return awaited(result);
    }

    private static @Nullable Object awaited(@Nullable Object result) throws Exception {
        try {
            if (result instanceof CompletableFuture<?> future) {
                return future.get();
            }
            return result != null && AdapterUtils.isMono(result.getClass())
                    ? Reactive.future(result).get()
                    : result;
        } catch (ExecutionException e) {
            throw Failure.of(Objects.requireNonNullElse(e.getCause(), e));
        }
    }

    /** Is loaded only where Reactor is there. */
    private static final class Reactive {

        static CompletableFuture<?> future(Object mono) {
            return ((Mono<?>) mono).toFuture();
        }
    }
}

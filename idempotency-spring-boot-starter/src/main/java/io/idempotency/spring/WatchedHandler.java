package io.idempotency.spring;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.adapter.AdapterUtils;
import org.springframework.kafka.listener.adapter.DelegatingInvocableHandler;
import org.springframework.kafka.listener.adapter.HandlerAdapter;
import org.springframework.kafka.listener.adapter.InvocationResult;
import org.springframework.kafka.listener.adapter.MessagingMessageListenerAdapter;
import org.springframework.messaging.Message;
import org.springframework.messaging.handler.invocation.InvocableHandlerMethod;
import reactor.core.publisher.Mono;

/** Calls a listener method as ever, and notes its asynchronous result for {@link ShadowListener}. */
final class WatchedHandler extends HandlerAdapter {

    private static final ThreadLocal<@Nullable Results> CURRENT = new ThreadLocal<>();

    /** The asynchronous result of the call that runs on this thread. */
    static final class Results {

        private final @Nullable Results outer = CURRENT.get();
        private @Nullable CompletionStage<?> last;

        private Results() {}

        @Nullable
        CompletionStage<?> last() {
            return last;
        }

        void end() {
            if (outer == null) {
                CURRENT.remove();
            } else {
                CURRENT.set(outer);
            }
        }
    }

    private WatchedHandler(InvocableHandlerMethod method) {
        super(method);
    }

    private WatchedHandler(DelegatingInvocableHandler methods) {
        super(methods);
    }

    /** Watches the methods of a listener, if their results may be asynchronous. */
    static void watch(Object listener) {
        AdaptedListener adapted = AdaptedListener.in(listener);
        if (adapted.listener() instanceof MessagingMessageListenerAdapter<?, ?>
                && (adapted.isAsync() || adapted.mayBeAsync())) {
            adapted.replaceHandler(WatchedHandler::new, WatchedHandler::new);
        }
    }

    /** Begins a call on this thread. */
    static Results begin() {
        Results results = new Results();
        CURRENT.set(results);
        return results;
    }

    @Override
    public @Nullable Object invoke(Message<?> message, @Nullable Object... arguments) throws Exception {
        Object result = super.invoke(message, arguments);
        Results results = CURRENT.get();
        if (results == null) {
            return result;
        }
        if (result instanceof InvocationResult handled) {
            Object value = noted(handled.result(), results);
            return value == null ? result : new InvocationResult(value, handled.sendTo(), handled.messageReturnType());
        }
        return noted(result, results);
    }

    private static @Nullable Object noted(@Nullable Object result, Results results) {
        if (result instanceof CompletionStage<?> stage) {
            results.last = stage;
            return result;
        }
        return result != null && AdapterUtils.isMono(result.getClass()) ? Reactive.noted(result, results) : result;
    }

    /** Loaded only if Reactor is on the class path. */
    private static final class Reactive {

        static Object noted(Object mono, Results results) {
            CompletableFuture<@Nullable Object> end = new CompletableFuture<>();
            results.last = end;
            return ((Mono<?>) mono).doOnSuccess(value -> end.complete(null)).doOnError(end::completeExceptionally);
        }
    }
}

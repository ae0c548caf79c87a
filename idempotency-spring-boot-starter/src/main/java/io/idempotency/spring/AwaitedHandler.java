package io.idempotency.spring;

import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.adapter.AdapterUtils;
import org.springframework.kafka.listener.adapter.DelegatingInvocableHandler;
import org.springframework.kafka.listener.adapter.HandlerAdapter;
import org.springframework.kafka.listener.adapter.InvocationResult;
import org.springframework.messaging.Message;
import org.springframework.messaging.handler.invocation.InvocableHandlerMethod;
import reactor.core.publisher.Mono;

/**
 * Calls a listener method that returns a future, and waits for the result on the container's thread while the lease is renewed. The wait has a limit:
 * without one, the lease would be renewed for ever.
 *
 * <p>Left to itself, the container acknowledges a failed result before its error handler sees it, and a crash in between loses the message. Holding
 * the acknowledgment back is no way out: the consumer would stay paused after a later acknowledgment.
 */
final class AwaitedHandler extends HandlerAdapter {

    private final Duration most;

    private AwaitedHandler(InvocableHandlerMethod method, Duration most) {
        super(method);
        this.most = most;
    }

    private AwaitedHandler(DelegatingInvocableHandler methods, Duration most) {
        super(methods);
        this.most = most;
    }

    /** Returns how long a result may take. */
    static Duration within(Duration pollInterval) {
        return pollInterval.multipliedBy(9).dividedBy(10);
    }

    /**
     * Makes a listener with asynchronous results wait for each of them, at most for the time given. Returns whether its methods declare such results;
     * a method that declares Object may return one all the same.
     */
    static boolean await(Object listener, Duration most) {
        AdaptedListener adapted = AdaptedListener.in(listener);
        boolean isAsync = adapted.isAsync();
        if (!isAsync && !adapted.mayBeAsync()) {
            return false;
        }
        adapted.replaceHandler(
                method -> new AwaitedHandler(method, most), methods -> new AwaitedHandler(methods, most));
        return isAsync;
    }

    /** Results are complete when they are returned, so the container does not wait for acknowledgments from other threads. */
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

    private @Nullable Object awaited(@Nullable Object result) throws Exception {
        if (result instanceof CompletionStage<?> stage) {
            return awaited(stage.toCompletableFuture());
        }
        return result != null && AdapterUtils.isMono(result.getClass()) ? awaited(Reactive.future(result)) : result;
    }

    private @Nullable Object awaited(CompletableFuture<?> result) throws Exception {
        try {
            return result.get(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw Failure.of(Objects.requireNonNullElse(e.getCause(), e));
        } catch (TimeoutException e) {
            result.cancel(true);
            throw new IdempotencyException(
                    "The result of the listener did not come within " + most.toMillis()
                            + " ms, nine tenths of max.poll.interval.ms, so its message counts as failed. Its work may still be running."
                            + " Limit it, for example by orTimeout(..), or raise max.poll.interval.ms",
                    e);
        }
    }

    /** Loaded only if Reactor is on the class path. */
    private static final class Reactive {

        static CompletableFuture<?> future(Object mono) {
            return ((Mono<?>) mono).toFuture();
        }
    }
}

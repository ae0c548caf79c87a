package io.idempotency.results;

import io.idempotency.HandledMessages;
import io.idempotency.MessageHandler;
import io.idempotency.store.Claim;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.ResultStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Divides a handler under {@code AT_LEAST_ONCE} into steps, such as calls of foreign services. The result of each finished step is recorded. When the handler
 * runs again after a crash, finished steps are not called: they return what they returned. The step that was under way is called again, with the same key.
 *
 * <pre>{@code
 * Steps steps = Steps.in(JdbcResults.on(dataSource), json);
 *
 * consumer.consume(order, steps.handler((message, step) -> {
 *     Charge charge = step.once("charge", Charge.class, key -> stripe.charge(message, key));
 *     step.once("mail", key -> mails.send(message, charge, key));
 * }));
 * }</pre>
 *
 * <p>The key is what makes a repeated call harmless: send it as the idempotency key of the foreign service. Thread-safe.
 */
public final class Steps {

    private static final Logger log = LoggerFactory.getLogger(Steps.class);
    private static final Duration WARN_EVERY = Duration.ofMinutes(1);

    private final ResultStore results;
    private final ResultCodec codec;
    private final AtomicLong warnedNanos = new AtomicLong(System.nanoTime() - 2 * WARN_EVERY.toNanos());

    private Steps(ResultStore results, ResultCodec codec) {
        this.results = results;
        this.codec = codec;
    }

    /** Handles a message in steps. */
    @FunctionalInterface
    public interface Handler<M> {

        /** Handles the message. May run more than once for it; its steps are finished once each. */
        void handle(M message, MessageSteps steps) throws Exception;
    }

    /** Returns steps that are recorded on the data of the consumer's store. */
    public static Steps in(ResultStore results, ResultCodec codec) {
        return new Steps(results, codec);
    }

    /** Returns a handler that is divided into steps. At its end it checks that it still had each step that an earlier attempt has finished. */
    public <M> MessageHandler<M> handler(Handler<? super M> handler) {
        return (message, claim) -> {
            MessageSteps steps = of(claim);
            handler.handle(message, steps);
            steps.requireAllAsked();
        };
    }

    /**
     * Returns the steps of a message that the handler was given. One round trip.
     *
     * @throws IdempotencyException if the claim is no lease, or a transaction is active: a step could be finished and its record be rolled back
     */
    public MessageSteps of(Claim claim) {
        if (!claim.isLease()) {
            throw new IdempotencyException(
                    "Steps of " + claim.delivery()
                            + " cannot be recorded: they need the level AT_LEAST_ONCE, whose handlers run outside of a transaction");
        }
        results.requirePuttable(claim);
        // Whoever asks twice in a handler gets the same.
        return HandledMessages.onThread()
                .map(handled -> handled.attached(
                        List.of(Steps.class, claim), MessageSteps.class, () -> new MessageSteps(results, codec, claim)))
                .orElseGet(() -> new MessageSteps(results, codec, claim));
    }

    /**
     * Returns the steps of the message that the handler on the calling thread handles, for code that is not given the claim, such as a Spring listener. One
     * round trip.
     *
     * <p>If no handler of this library runs on the thread, because the listener is switched off or in shadow mode, each step is called and nothing is recorded, as without
     * the library. The log warns of that.
     *
     * @throws IdempotencyException if the handler is one of a batch, or the level is not {@code AT_LEAST_ONCE}
     */
    public MessageSteps ofThread() {
        Optional<HandledMessages> handled = HandledMessages.onThread();
        if (handled.isEmpty()) {
            warn();
            return new MessageSteps(results, codec);
        }
        return of(
                handled.get()
                        .claim()
                        .orElseThrow(
                                () -> new IdempotencyException(
                                        "The handler on this thread has a batch of messages, so its steps belong to none. Use of(claim)")));
    }

    private void warn() {
        long now = System.nanoTime();
        long before = warnedNanos.get();
        if (now - before > WARN_EVERY.toNanos() && warnedNanos.compareAndSet(before, now)) {
            log.warn(
                    "No handler of an idempotent consumer runs on thread {}, so its steps are not recorded, and their keys are new ones. That is so for a listener"
                            + " that is switched off or in shadow mode. Otherwise call steps on the thread of the handler.",
                    Thread.currentThread().getName());
        }
    }
}

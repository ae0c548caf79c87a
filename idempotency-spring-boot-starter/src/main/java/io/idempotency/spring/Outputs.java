package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.store.TransactionRunner;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.kafka.core.KafkaProducerException;
import org.springframework.kafka.core.KafkaResourceHolder;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Awaits the messages that listeners send to Kafka on their thread, before the listeners' own messages are settled: a settled message is not
 * processed again, so a failed output would be lost. Under {@code STRONG} it waits once per transaction, after everything that writes in it and
 * before the claims are proved; at the other levels, after each call.
 */
final class Outputs implements TransactionSynchronization {

    private static final ThreadLocal<@Nullable Outputs> CURRENT = new ThreadLocal<>();

    private enum State {
        COLLECTING,
        /** Messages that are sent now, for example by listeners of transaction events, are awaited at once. */
        ENDING,
        OVER
    }

    private record Sent(WatchedProducer producer, ProducerRecord<?, ?> record, Future<?> result) {}

    /** A call of a listener. */
    @FunctionalInterface
    interface Call {

        void run() throws Exception;
    }

    private final List<Sent> sent = new ArrayList<>();
    private final boolean isOfCall;
    private State state = State.COLLECTING;

    /** @param isOfCall whether it serves one call of a listener, and not the transaction of a claim */
    private Outputs(boolean isOfCall) {
        this.isOfCall = isOfCall;
    }

    /** Returns transactions that commit only after the messages sent in them have arrived. */
    static TransactionRunner awaited(TransactionRunner transactions) {
        return work -> {
            Outputs outer = CURRENT.get();
            try {
                transactions.inTransaction(() -> {
                    Outputs outputs = begin(false);
                    work.run();
                    outputs.awaitBeforeCommit();
                });
            } finally {
                end(outer);
            }
        };
    }

    /** Calls a listener, and waits for its messages if no transaction around it does. */
    static void awaited(ConsistencyLevel level, Call call) throws Exception {
        if (level == ConsistencyLevel.STRONG || level == ConsistencyLevel.NONE) {
            call.run();
            return;
        }
        Outputs outer = CURRENT.get();
        Outputs outputs = begin(true);
        try {
            call.run();
            outputs.await();
        } finally {
            end(outer);
        }
    }

    /** Returns whether a listener is called on this thread without the transaction of a claim around it. */
    static boolean isOfCall() {
        Outputs current = CURRENT.get();
        return current != null && current.isOfCall;
    }

    private static Outputs begin(boolean isOfCall) {
        Outputs outputs = new Outputs(isOfCall);
        CURRENT.set(outputs);
        return outputs;
    }

    /** Restores the outer outputs: a listener may call another consumer on its thread. */
    private static void end(@Nullable Outputs outer) {
        if (outer == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(outer);
        }
    }

    /**
     * Tracks a message that was sent on this thread, if a listener runs on it. A send that has failed already does not count: the template throws the
     * failure, and the listener may send something else instead.
     */
    static void note(WatchedProducer producer, ProducerRecord<?, ?> record, Future<?> result) {
        Outputs current = CURRENT.get();
        if (current != null && current.state != State.OVER && !(result.isDone() && failure(result) != null)) {
            current.sent.add(new Sent(producer, record, result));
            if (current.state == State.ENDING) {
                current.await();
            }
        }
    }

    private void awaitBeforeCommit() {
        if (TransactionSynchronizationManager.isSynchronizationActive()) {
            TransactionSynchronizationManager.registerSynchronization(this);
        } else {
            await();
        }
    }

    /** Runs after those of other orders. The proof of the claims comes later, right before the commit. */
    @Override
    public int getOrder() {
        return Ordered.LOWEST_PRECEDENCE - 1;
    }

    @Override
    public void beforeCommit(boolean readOnly) {
        state = State.ENDING;
        await();
        commitKafkaTransactions();
    }

    /** Commits the Kafka transactions that joined. They would commit after the database, and a crash in between would lose their records. */
    private static void commitKafkaTransactions() {
        for (Object resource :
                TransactionSynchronizationManager.getResourceMap().values()) {
            if (resource instanceof KafkaResourceHolder<?, ?> joined && joined.isSynchronizedWithTransaction()) {
                joined.commit();
            }
        }
    }

    @Override
    public void beforeCompletion() {
        state = State.OVER;
    }

    /**
     * Waits until all messages are acknowledged, at most for the {@code delivery.timeout.ms} of their producers.
     *
     * @throws KafkaProducerException if a message was not sent
     */
    private void await() {
        flushProducers();
        for (Sent each : sent) {
            Throwable failure = failure(each.result());
            if (failure != null) {
                throw new KafkaProducerException(
                        each.record(),
                        "A message that the listener sent to " + each.record().topic()
                                + " did not arrive, so its own message is not processed",
                        failure);
            }
        }
        sent.clear();
    }

    private static @Nullable Throwable failure(Future<?> result) {
        try {
            result.get();
            return null;
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (ExecutionException e) {
            return Objects.requireNonNullElse(e.getCause(), e);
        }
    }

    /** Flushes the producers that linger. */
    private void flushProducers() {
        Set<WatchedProducer> open = new HashSet<>();
        for (Sent each : sent) {
            if (!each.result().isDone() && open.add(each.producer())) {
                each.producer().flush();
            }
        }
    }
}

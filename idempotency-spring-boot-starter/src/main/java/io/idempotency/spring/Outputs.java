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
 * What listeners send to Kafka on their thread, and do not wait for: it is awaited before their messages are settled, for what is remembered as
 * processed does not run again. Under {@code STRONG} that is once for a transaction, behind all that writes in it and before the claims are
 * proved; else behind each call.
 */
final class Outputs implements TransactionSynchronization {

    private static final ThreadLocal<@Nullable Outputs> CURRENT = new ThreadLocal<>();

    private enum State {
        COLLECTING,
        /** What is still sent, as by listeners of transaction events, is awaited at once. */
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
    private State state = State.COLLECTING;

    private Outputs() {}

    /** Returns transactions that do not commit before what was sent in them is there. */
    static TransactionRunner awaited(TransactionRunner transactions) {
        return work -> {
            Outputs outer = CURRENT.get();
            try {
                transactions.inTransaction(() -> {
                    Outputs outputs = begin();
                    work.run();
                    outputs.awaitBeforeCommit();
                });
            } finally {
                end(outer);
            }
        };
    }

    /** Calls a listener, and waits for what it has sent where no transaction around it does. */
    static void awaited(ConsistencyLevel level, Call call) throws Exception {
        if (level == ConsistencyLevel.STRONG || level == ConsistencyLevel.NONE) {
            call.run();
            return;
        }
        Outputs outer = CURRENT.get();
        Outputs outputs = begin();
        try {
            call.run();
            outputs.await();
        } finally {
            end(outer);
        }
    }

    private static Outputs begin() {
        Outputs outputs = new Outputs();
        CURRENT.set(outputs);
        return outputs;
    }

    /** A listener may have another consumer process something on its thread. */
    private static void end(@Nullable Outputs outer) {
        if (outer == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(outer);
        }
    }

    /**
     * Notes what was sent on this thread, if a listener is on it. Not what has failed already: the template throws that, and the listener may
     * send something else instead.
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

    /** Behind all others but the proof of the claims, which is the last. */
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

    /** Those that joined would commit behind the database: after a crash in between nobody would send their records again. */
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
     * Returns when all that was sent is acknowledged, which each producer bounds by its {@code delivery.timeout.ms}.
     *
     * @throws KafkaProducerException if something was not sent
     */
    private void await() {
        flushProducers();
        for (Sent each : sent) {
            Throwable failure = failure(each.result());
            if (failure != null) {
                throw new KafkaProducerException(
                        each.record(),
                        "What the listener sent to " + each.record().topic()
                                + " did not arrive, so its message is not processed",
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

    /** A producer may wait for more before it sends. */
    private void flushProducers() {
        Set<WatchedProducer> open = new HashSet<>();
        for (Sent each : sent) {
            if (!each.result().isDone() && open.add(each.producer())) {
                each.producer().flush();
            }
        }
    }
}

package io.idempotency.spring;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Flushes a producer that listeners share, on another thread. A listener does not wait for the messages of others: one unavailable partition would
 * hold up all listeners that share the producer. Thread-safe.
 */
final class WatchedProducer {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final Producer<?, ?> producer;
    private final Executor executor;
    private final AtomicInteger asked = new AtomicInteger();

    WatchedProducer(Producer<?, ?> producer, Executor executor) {
        this.producer = producer;
        this.executor = executor;
    }

    /** Flushes the producer on another thread. During a flush the producer also sends later messages at once. */
    void flush() {
        if (asked.getAndIncrement() == 0) {
            executor.execute(this::flushUntilNobodyAsks);
        }
    }

    private void flushUntilNobodyAsks() {
        int seen;
        do {
            seen = asked.get();
            try {
                producer.flush();
            } catch (RuntimeException e) {
                log.warn("A producer could not be flushed. The messages of listeners leave after its linger.ms.", e);
            }
        } while (!asked.compareAndSet(seen, 0));
    }
}

package io.idempotency.spring;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A producer that listeners send by. It sends at once what it keeps to send it with more, without making the listener wait for what others sent: one
 * partition that cannot be written to would hold up all listeners that share the producer. Thread-safe.
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

    /** Has everything sent, by another thread. While a flush goes on, the producer sends at once also what comes after its beginning. */
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
                log.warn("A producer could not be flushed; what listeners sent by it leaves after its linger.ms", e);
            }
        } while (!asked.compareAndSet(seen, 0));
    }
}

package io.idempotency.kafka;

import io.idempotency.FailureText;
import io.idempotency.store.TransientStoreException;
import java.util.function.ToIntFunction;
import org.apache.kafka.clients.admin.Admin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks Kafka how many partitions topics have, for stores that detect a copy only in the partition of the original. Each call is a round
 * trip. Thread-safe.
 */
public final class TopicPartitions implements ToIntFunction<String> {

    private static final Logger log = LoggerFactory.getLogger(TopicPartitions.class);

    private final Admin admin;

    private TopicPartitions(Admin admin) {
        this.admin = admin;
    }

    /** Returns a look-up through the client given, which stays the caller's to close. */
    public static TopicPartitions of(Admin admin) {
        return new TopicPartitions(admin);
    }

    /** Returns how many partitions the topic has; 0 if Kafka does not say so within five seconds, which is logged. */
    @Override
    public int applyAsInt(String topic) {
        try {
            return TopicLookup.describe(admin, topic).partitions().size();
        } catch (TransientStoreException failure) {
            log.info("The number of partitions of {} could not be looked up: {}", topic, FailureText.line(failure));
            return 0;
        }
    }
}

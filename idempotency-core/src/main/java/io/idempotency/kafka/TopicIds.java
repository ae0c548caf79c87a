package io.idempotency.kafka;

import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;

/**
 * Looks up topic ids in Kafka, for {@link MessageIds#coordinates}. An answer is cached for ten seconds, so a topic that is deleted and created
 * again keeps its old id for up to that long. A failed look-up is a transient failure of the message. Thread-safe.
 */
public final class TopicIds implements Function<String, String> {

    private static final Duration KEPT = Duration.ofSeconds(10);

    private record Answer(String id, long askedAt) {}

    private final Admin admin;
    private final LongSupplier nanoTime;
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();

    TopicIds(Admin admin, LongSupplier nanoTime) {
        this.admin = admin;
        this.nanoTime = nanoTime;
    }

    /** Returns a look-up through the client given, which stays the caller's to close. */
    public static TopicIds of(Admin admin) {
        return new TopicIds(admin, System::nanoTime);
    }

    /**
     * Returns the id of the topic.
     *
     * @throws TransientStoreException if Kafka does not answer within five seconds
     */
    @Override
    public String apply(String topic) {
        Answer known = answers.get(topic);
        long now = nanoTime.getAsLong();
        if (known == null || now - known.askedAt() > KEPT.toNanos()) {
            known = new Answer(ask(topic), now);
            answers.put(topic, known);
        }
        return known.id();
    }

    private String ask(String topic) {
        return TopicLookup.describe(admin, topic).topicId().toString();
    }
}

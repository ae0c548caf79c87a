package io.idempotency.kafka;

import io.idempotency.FailureText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records that a member of a share group holds. It accepts those that are settled and renews the acquisition locks of the others; it never releases one.
 *
 * <p>How Kafka's client renews: the renewal is an acknowledgment that is committed. Then the next poll returns the record again, and until it has, nothing can be
 * acknowledged. As long as a member renews a record, its polls return only renewed ones. A renewal that the broker refuses fails for all records of the
 * partition that were acknowledged with it; they never come back, and their locks run out. Confined to the polling thread.
 */
final class ShareHand {

    private static final Logger log = LoggerFactory.getLogger(ShareProcessor.class);
    private static final int DEFAULT_LOCK_MILLIS = 30_000;
    private static final int RENEWALS_PER_LOCK = 3;
    /** The broker writes each acceptance to a topic, so those of records that end one after another share a request ({@code ShareBenchmark}). */
    private static final long TOGETHER_NANOS = Duration.ofMillis(50).toNanos();

    private final ShareConsumer<byte[], byte[]> kafka;
    private final LongSupplier nanoTime;
    private final Map<HeldRecord.Place, HeldRecord> held = new LinkedHashMap<>();
    private final long lockNanos;
    private long renewAt;
    /** When acceptances go to the broker that it does not have yet; {@link #renewAt} if there are none. */
    private long sendAt;

    private boolean isWokenUp;

    ShareHand(ShareConsumer<byte[], byte[]> kafka, LongSupplier nanoTime) {
        this.kafka = kafka;
        this.nanoTime = nanoTime;
        this.lockNanos = Duration.ofMillis(kafka.acquisitionLockTimeoutMs().orElse(DEFAULT_LOCK_MILLIS))
                .toNanos();
        scheduleRenewal();
    }

    /** Takes polled records: new ones, and those whose locks are renewed. */
    void take(ConsumerRecords<byte[], byte[]> polled) {
        for (ConsumerRecord<byte[], byte[]> record : polled) {
            HeldRecord known = held.get(HeldRecord.Place.of(record));
            if (known == null) {
                HeldRecord fresh = new HeldRecord(record, nanoTime.getAsLong());
                held.put(fresh.place(), fresh);
            } else {
                known.renewed(record, nanoTime.getAsLong());
            }
        }
    }

    Collection<HeldRecord> records() {
        return held.values();
    }

    boolean isEmpty() {
        return held.isEmpty();
    }

    /** Returns whether a record that ended is still held; if not, its lock has run out, and somebody else gets it. */
    boolean holds(HeldRecord record) {
        return held.get(record.place()) == record;
    }

    /** Returns when the locks are to be renewed. */
    long renewAt() {
        return renewAt;
    }

    /** Returns when there is something to send, whatever becomes of the records. */
    long sendAt() {
        return sendAt;
    }

    /** Returns whether somebody woke the client up, to close it. */
    boolean isWokenUp() {
        return isWokenUp;
    }

    /** Accepts what is settled. The last ones go to the broker with the next poll, others a moment after the first of them. */
    void accept() {
        long now = nanoTime.getAsLong();
        if (acceptSettled() && sendAt == renewAt) {
            sendAt = Math.min(now + TOGETHER_NANOS, renewAt);
        }
        if (!held.isEmpty() && now - sendAt >= 0 && sendAt != renewAt) {
            kafka.commitAsync();
            sendAt = renewAt;
        }
    }

    private boolean acceptSettled() {
        List<HeldRecord> settled = held.values().stream()
                .filter(record -> record.isSettled() && record.isAtHand())
                .toList();
        for (HeldRecord record : settled) {
            kafka.acknowledge(record.raw(), AcknowledgeType.ACCEPT);
            held.remove(record.place());
        }
        return !settled.isEmpty();
    }

    /** Renews the locks of all records that are not settled. Returns the records whose lock has run out; they are no longer held. */
    List<HeldRecord> renew() {
        acceptSettled();
        for (HeldRecord record : held.values()) {
            if (record.isAtHand()) {
                kafka.acknowledge(record.raw(), AcknowledgeType.RENEW);
                record.renewing();
            }
        }
        scheduleRenewal();
        List<HeldRecord> lost = new ArrayList<>();
        try {
            kafka.commitSync(Duration.ofNanos(lockNanos / RENEWALS_PER_LOCK))
                    .forEach((partition, failure) -> failure.ifPresent(why -> lost.addAll(refused(partition, why))));
            take(kafka.poll(Duration.ZERO));
        } catch (WakeupException wakeup) {
            isWokenUp = true;
        } catch (KafkaException away) {
            log.warn("{} locks could not be renewed: {}", held.size(), FailureText.line(away));
        }
        long now = nanoTime.getAsLong();
        lost.addAll(drop(record -> !record.isAtHand() && now - record.lockedNanos() > lockNanos));
        return lost;
    }

    private List<HeldRecord> refused(TopicIdPartition partition, KafkaException why) {
        log.warn(
                "Locks of records of {} have run out, and each counts as a delivery: {}",
                partition.topicPartition(),
                FailureText.line(why));
        return drop(record -> !record.isAtHand() && record.place().partition().equals(partition.topicPartition()));
    }

    private List<HeldRecord> drop(Predicate<HeldRecord> which) {
        List<HeldRecord> dropped = held.values().stream().filter(which).toList();
        dropped.forEach(record -> held.remove(record.place()));
        return dropped;
    }

    private void scheduleRenewal() {
        renewAt = nanoTime.getAsLong() + lockNanos / RENEWALS_PER_LOCK;
        sendAt = renewAt;
    }
}

package io.idempotency.kafka;

import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.MessageIdExtractor;
import io.idempotency.ShareDelivery;
import io.idempotency.store.IdempotencyException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Handles the records that a share group delivers to one member. {@link ShareLoop} uses it; code with a loop of its own does what that does:
 *
 * <pre>{@code
 * try (ShareProcessor<String, Order> processor = ShareProcessor.of(billing, handler, properties);
 *         KafkaShareConsumer<byte[], byte[]> consumer = new KafkaShareConsumer<>(ShareProcessor.consumer(properties))) {
 *     consumer.subscribe(List.of("orders"));
 *     while (isRunning) {
 *         processor.process(consumer, consumer.poll(Duration.ofSeconds(1)));
 *     }
 * }
 * }</pre>
 *
 * <ol>
 *   <li>Each record runs on a thread of its own, in its own transaction or with its own lease. Nothing that happens to one holds back the others of its poll.
 *   <li>A record is accepted when its transaction has committed: it is processed, a duplicate, expired or quarantined.
 *   <li>Until then its acquisition lock is renewed at a third of its length: while the handler runs, between attempts, while another owner has the message, and
 *       while the database is away. It is never released, because each release counts as a delivery, and the broker archives a record after its last one.
 *   <li>Each attempt gets a new object, made from the bytes. A record that cannot be deserialized fails alone.
 *   <li>A record that comes again, or for the last time, is in quarantine before its handler runs; see {@link ShareDelivery}.
 * </ol>
 *
 * <p>If the process dies, the broker gives the record to another member when the lock runs out. If the effect had committed, that delivery is a duplicate. If the lock
 * of a live process runs out, two members have the record, and the claim decides.
 *
 * <p>Close the members of one process by {@link ShareMembers}. It keeps the state of one member: use it on the thread that polls. {@link #close} may be called from any thread.
 */
public final class ShareProcessor<K, V> implements AutoCloseable {

    /** Kafka's default of {@code group.share.delivery.count.limit}. */
    public static final int DEFAULT_DELIVERY_LIMIT = 5;

    /** How many records a member holds at most, unless {@code max.poll.records} is set; so many handlers run at a time. */
    public static final int DEFAULT_RECORDS = 8;

    private static final long ASK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final ShareDelivery<ConsumerRecord<K, V>> delivery;
    private final MessageHandler<? super ConsumerRecord<K, V>> handler;
    private final SharedRecord.Form<K, V> form;
    private final MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> rejectedIds;
    private final int deliveryLimit;
    private final ShareAttempts attempts;
    private volatile boolean isClosing;
    private volatile boolean isProcessing;

    private ShareProcessor(
            ShareDelivery<ConsumerRecord<K, V>> delivery,
            MessageHandler<? super ConsumerRecord<K, V>> handler,
            SharedRecord.Form<K, V> form,
            MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> rejectedIds,
            int deliveryLimit) {
        this.delivery = delivery;
        this.handler = handler;
        this.form = form;
        this.rejectedIds = rejectedIds;
        this.deliveryLimit = deliveryLimit;
        this.attempts = new ShareAttempts(delivery.describe());
    }

    /**
     * Returns a processor of single records.
     *
     * @param properties those of the Kafka consumer, with the deserializers of the handler's records
     * @throws IdempotencyException if a deserializer is missing, or the consumer cannot have the records of a share group; see {@link ShareDelivery#of}
     */
    public static <K, V> ShareProcessor<K, V> of(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer,
            MessageHandler<? super ConsumerRecord<K, V>> handler,
            Map<String, ?> properties) {
        return of(consumer, handler, properties, Optional.empty(), Optional.empty());
    }

    /**
     * Returns a processor of single records, for containers with deserializers of their own.
     *
     * @param keys the deserializer of keys; empty: the one that the properties name
     * @param values that of values
     * @throws IdempotencyException as the other method
     */
    public static <K, V> ShareProcessor<K, V> of(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer,
            MessageHandler<? super ConsumerRecord<K, V>> handler,
            Map<String, ?> properties,
            Optional<Deserializer<K>> keys,
            Optional<Deserializer<V>> values) {
        return new ShareProcessor<>(
                ShareDelivery.of(consumer),
                handler,
                SharedRecord.Form.of(Map.copyOf(properties), keys, values),
                MessageIds.defaults(),
                DEFAULT_DELIVERY_LIMIT);
    }

    /**
     * Asks the brokers how often they deliver a record of the group. Waits up to twenty seconds. Without an answer it is Kafka's default, 5. The log warns if the group
     * begins at the latest records, or reads those of aborted transactions.
     *
     * @param properties those of the Kafka consumer, with {@code group.id}
     */
    public static int deliveryLimit(Map<String, ?> properties) {
        try (Admin admin = Admin.create(TopicRetention.admin(properties))) {
            return ShareSettings.deliveryLimit(admin, String.valueOf(properties.get(ConsumerConfig.GROUP_ID_CONFIG)));
        }
    }

    /** Returns a new processor with the limit of deliveries that the brokers have, {@code group.share.delivery.count.limit}; the default is 5. */
    public ShareProcessor<K, V> deliveryLimit(int limit) {
        if (limit < 1) {
            throw new IdempotencyException("A record is delivered at least once, not " + limit + " times");
        }
        return new ShareProcessor<>(delivery, handler, form, rejectedIds, limit);
    }

    /** Returns a new processor with an extractor for the ids of records that cannot be deserialized; the default is {@link MessageIds#defaults()}. */
    public ShareProcessor<K, V> rejectedMessageId(MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> ids) {
        return new ShareProcessor<>(delivery, handler, form, ids, deliveryLimit);
    }

    /**
     * Returns the properties of the Kafka consumer whose records it handles: explicit acknowledgment, no more records than can be held at a time, and bytes.
     *
     * @throws IdempotencyException if the properties say something else
     */
    public static Map<String, Object> consumer(Map<String, ?> properties) {
        return ShareSettings.consumer(properties);
    }

    /**
     * Handles the records of a poll, none or many. Returns when all of them are settled or lost to another member, or, after {@link #close}, when the running handlers have ended.
     * The last acknowledgments go to the broker with the next poll, or when the consumer is closed.
     *
     * @param kafka a consumer with the properties of {@link #consumer}
     * @throws WakeupException if the consumer was woken up meanwhile
     */
    public void process(ShareConsumer<byte[], byte[]> kafka, ConsumerRecords<byte[], byte[]> polled) {
        process(kafka, polled, () -> false);
    }

    /**
     * Handles the records of a poll as {@link #process(ShareConsumer, ConsumerRecords)} does, for loops that somebody else ends.
     *
     * @param isEnding whether no further attempt begins, as after {@link #close}; asked twice a second
     */
    public void process(
            ShareConsumer<byte[], byte[]> kafka, ConsumerRecords<byte[], byte[]> polled, BooleanSupplier isEnding) {
        if (polled.isEmpty()) {
            return;
        }
        isProcessing = true;
        try {
            processUntilSettled(new ShareHand(kafka, System::nanoTime), polled, isEnding);
        } finally {
            isProcessing = false;
            if (isClosing) {
                form.close();
            }
        }
    }

    private void processUntilSettled(
            ShareHand hand, ConsumerRecords<byte[], byte[]> polled, BooleanSupplier isAskedToEnd) {
        hand.take(polled);
        boolean isInterrupted = false;
        while (!hand.isEmpty()) {
            boolean isEnding = isClosing || isAskedToEnd.getAsBoolean() || isInterrupted || hand.isWokenUp();
            if (!isEnding) {
                startDue(hand);
            } else if (hand.records().stream().noneMatch(HeldRecord::isRunning)) {
                break;
            }
            try {
                awaitEnds(hand, isEnding);
            } catch (InterruptedException interrupted) {
                // The handlers end first, and are renewed until then.
                isInterrupted = true;
            }
            hand.accept();
            if (!hand.isEmpty() && System.nanoTime() - hand.renewAt() >= 0) {
                hand.renew().forEach(this::giveUp);
            }
        }
        if (isInterrupted) {
            throw new InterruptException("Interrupted while records were handled");
        }
        if (hand.isWokenUp()) {
            throw new WakeupException();
        }
    }

    /** Waits until an attempt ends, the next one is due or locks are to be renewed. */
    private void awaitEnds(ShareHand hand, boolean isEnding) throws InterruptedException {
        long now = System.nanoTime();
        long wait = Math.min(hand.sendAt() - now, ASK_EVERY_NANOS);
        for (HeldRecord record : hand.records()) {
            if (record.isWaiting() && !isEnding) {
                wait = Math.min(wait, record.dueNanos() - now);
            }
        }
        for (ShareAttempts.Ended end : attempts.await(wait)) {
            note(hand, end);
        }
    }

    private void note(ShareHand hand, ShareAttempts.Ended end) {
        if (end.fatal() != null) {
            throw Contained.fatal(end.fatal());
        }
        if (end.retryAfter().isEmpty()) {
            end.record().settle();
            if (end.record().hasWaited()) {
                // Another owner may have settled it, which this process learned from its cache.
                delivery.giveUp(KafkaRecords.position(end.record().raw()));
            }
        } else {
            end.record().waitUntil(System.nanoTime() + end.retryAfter().get().toNanos());
            if (!hand.holds(end.record())) {
                giveUp(end.record());
            }
        }
    }

    private void startDue(ShareHand hand) {
        long now = System.nanoTime();
        for (HeldRecord record : hand.records()) {
            if (record.isWaiting() && record.dueNanos() - now <= 0) {
                start(record);
            }
        }
    }

    private void start(HeldRecord held) {
        int left = left(held);
        try {
            SharedRecord<K, V> record = form.read(held.raw());
            attempts.start(held, () -> delivery.consume(record, handler, left));
        } catch (RecordDeserializationException unreadable) {
            RejectedRecord rejected = new RejectedRecord(unreadable);
            attempts.start(
                    held,
                    () -> delivery.reject(
                            rejected.position(),
                            Optional.of(rejected.messageId(rejectedIds)),
                            rejected.payload(),
                            unreadable,
                            left));
        }
    }

    /** Returns how often a record surely comes again: at most once if it came again already, because a process that dies may use a delivery for each of its members. */
    private int left(HeldRecord held) {
        int left = Math.max(0, deliveryLimit - held.deliveries());
        return held.deliveries() > 1 ? Math.min(left, 1) : left;
    }

    /** Forgets the attempts of a record whose lock has run out. */
    private void giveUp(HeldRecord held) {
        if (held.isWaiting()) {
            delivery.giveUp(KafkaRecords.position(held.raw()));
        }
    }

    String describe() {
        return delivery.describe();
    }

    /** Begins no further attempt: {@link #process} returns when the running handlers have ended. Does not wait for that. */
    @Override
    public void close() {
        isClosing = true;
        attempts.close();
        if (!isProcessing) {
            form.close();
        }
    }
}

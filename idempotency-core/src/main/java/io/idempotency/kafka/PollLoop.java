package io.idempotency.kafka;

import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.store.IdempotencyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Polls topics and hands the records to a {@link RecordProcessor}, in classic and KIP-848 consumer groups:
 *
 * <pre>{@code
 * PollLoop<String, Order> loop = PollLoop.of(billing, (record, claim) -> charge(record.value()))
 *     .properties(properties)
 *     .topics("orders")
 *     .build();
 * executor.execute(loop);
 * ...
 * loop.close();
 * }</pre>
 *
 * <p>The loop owns a Kafka consumer from the start of {@link #run} to its end. It opens a second one when the quarantine first needs the bytes of
 * a deserialized record, which it reads again. An unreachable Kafka, rebalances, records that cannot be deserialized and a store that cannot be
 * used do not end the loop: it logs them and goes on. If Kafka refuses for good (authorization, another member with the same {@code
 * group.instance.id}, invalid settings), or on an error of the virtual machine, the loop closes its consumer and {@code run} throws. Offsets of
 * unsettled records are never committed. {@link PollLoopBuilder#onEnd} reports the end; {@link #isRunning} and {@link #failure} answer at any time.
 *
 * <p>With a {@linkplain io.idempotency.IdempotentConsumerBuilder#shadow() shadow consumer} the loop does not end either if its handler fails: it polls the
 * record again, as often as that takes, and other partitions go on. A record that cannot be deserialized keeps its partition there.
 *
 * <p>It runs once, on one thread. {@link #close} may be called from any thread, at any time, more than once.
 */
public final class PollLoop<K, V> implements Runnable, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(PollLoop.class);
    private static final long FIRST_BACK_OFF_MILLIS = 100;
    private static final long LONG_BACK_OFF_MILLIS = 1_000;
    private static final int MOST_DOUBLINGS = 5;

    private final PollLoopSettings<K, V> settings;
    private final RecordProcessor<K, V> processor;
    private final LoopLife life = new LoopLife();
    private final LoopReplays replays = new LoopReplays();
    private final Gathering<K, V> gathering;
    private final Optional<StoredOffsets> stored;
    private volatile @Nullable Consumer<K, V> consumer;
    private volatile @Nullable Throwable failure;
    private int failuresInARow;
    private boolean mustRewind;
    private boolean isInterrupted;

    PollLoop(PollLoopSettings<K, V> settings) {
        this.settings = settings;
        this.processor = settings.processor();
        this.gathering = settings.gathering();
        this.stored = settings.storedOffsets();
        stored.ifPresent(offsets -> processor.onSettled(offsets::settled));
    }

    /** Returns a builder of a loop around the processor. */
    public static <K, V> PollLoopBuilder<K, V> of(RecordProcessor<K, V> processor) {
        return new PollLoopBuilder<>(processor);
    }

    /** Returns a builder of a loop that hands single records to the handler. */
    public static <K, V> PollLoopBuilder<K, V> of(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer, MessageHandler<? super ConsumerRecord<K, V>> handler) {
        return of(RecordProcessor.of(consumer, handler));
    }

    /**
     * Polls until {@link #close} is called or the thread is interrupted; returns at once if it is closed already.
     *
     * @throws IdempotencyException if it was run before
     * @throws RuntimeException the failure that ended the loop, which {@link #failure} returns from then on
     */
    @Override
    public void run() {
        if (!life.begin()) {
            if (life.isClosing()) {
                return;
            }
            throw new IdempotencyException("A poll loop runs only once; build another one");
        }
        try {
            warnOfRetention();
            pollUntilClosed();
            log.info("Consumer {} stopped polling {}.", processor.describe(), settings.topics());
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        } catch (RuntimeException | Error forGood) {
            failure = forGood;
            log.error(
                    "Consumer {} cannot go on polling {}; its loop ends.",
                    processor.describe(),
                    settings.topics(),
                    FailureText.loggable(forGood));
            throw forGood;
        } finally {
            consumer = null;
            life.end();
            processor.retain(Set.of());
            tellEnd();
        }
    }

    private void warnOfRetention() {
        try (Admin admin = settings.admin()) {
            TopicRetention.warnIfLonger(
                    admin, settings.topics(), settings.times().retention());
        } catch (RuntimeException failed) {
            log.info("The retention of {} could not be looked up: {}", settings.topics(), FailureText.line(failed));
        }
    }

    private void tellEnd() {
        try {
            settings.onEnd().accept(failure());
        } catch (RuntimeException failed) {
            log.warn("The onEnd callback of consumer {} failed.", processor.describe(), FailureText.loggable(failed));
        }
    }

    /** Looks for replays at once, if the loop carries out replays. Whoever has asked for one in this process calls it. */
    public void wakeReplays() {
        replays.wake();
    }

    /** Returns whether the loop runs: from the call of {@link #run} until the Kafka consumer is closed. */
    public boolean isRunning() {
        return life.isRunning();
    }

    /** Returns the failure that ended the loop; empty while it runs, and if it was closed or interrupted. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    private void pollUntilClosed() {
        try (RecordReread reread = RecordReread.of(settings.properties());
                Consumer<K, V> kafka = settings.connect();
                LoopReplays replaying = replays) {
            settings.replays()
                    .ifPresent(store ->
                            replaying.<K, V>start(settings.properties(), records -> processor.replay(store, records)));
            consumer = kafka;
            log.info("Consumer {} polls {} in group {}.", processor.describe(), settings.topics(), settings.group());
            kafka.subscribe(settings.topics(), new FirstOffsets<>(kafka, processor, gathering, stored));
            pollUntilClosed(kafka, reread);
        }
    }

    private void pollUntilClosed(Consumer<K, V> kafka, RecordReread reread) {
        try {
            while (!life.isClosing()) {
                pollOnce(kafka, reread);
            }
        } catch (WakeupException wakeup) {
            log.debug("Woken up to be closed.");
        } catch (InterruptException interrupted) {
            log.info("The thread of consumer {} was interrupted; its loop ends.", processor.describe());
        }
        // Kept aside until the consumer is closed: it could not be closed in order otherwise.
        isInterrupted = Thread.interrupted();
        finish(kafka);
    }

    private void pollOnce(Consumer<K, V> kafka, RecordReread reread) {
        try {
            pollOrReject(kafka, reread);
        } catch (WakeupException wakeup) {
            throw wakeup;
        } catch (RetriableException passing) {
            backOff(FIRST_BACK_OFF_MILLIS, passing);
        } catch (NoOffsetForPartitionException none) {
            if (stored.isEmpty() || stored.get().lacks(none)) {
                throw none;
            }
            mustRewind = true;
        } catch (RuntimeException | Error failed) {
            Contained.letFatalLeave(failed);
            boolean isEnd = failed instanceof InterruptException
                    && Thread.currentThread().isInterrupted();
            if (isEnd || KafkaFailures.isForGood(failed)) {
                throw failed;
            }
            recover(failed);
        }
    }

    private void pollOrReject(Consumer<K, V> kafka, RecordReread reread) {
        try {
            if (mustRewind) {
                gathering.dropAll().forEach((partition, first) -> AssignedPartitions.seek(kafka, partition, first));
                processor.rewind(kafka);
                mustRewind = false;
            }
            stored.ifPresent(offsets -> processor.assigned(kafka, offsets.beginWaiting(kafka)));
            ConsumerRecords<K, V> polled = kafka.poll(processor.timeout(gathering.timeout(settings.pollTimeout())));
            failuresInARow = 0;
            stored.ifPresent(offsets -> offsets.polled(kafka, polled));
            handle(kafka, reread, gathering.add(polled));
        } catch (RecordDeserializationException unreadable) {
            if (gathering.isEmpty()) {
                processor.reject(kafka, unreadable);
            } else {
                // Those before it come first. The next poll throws again.
                handle(kafka, reread, gathering.take());
            }
        }
    }

    private void handle(Consumer<K, V> kafka, RecordReread reread, ConsumerRecords<K, V> records) {
        List<Throwable> failures = new ArrayList<>();
        reread.during(records, () -> processor.handle(kafka, records).ifPresent(failures::add));
        gathering.urgent(processor.isBehind());
        stored.ifPresent(StoredOffsets::storeIfDue);
        failures.forEach(this::handleAgain);
    }

    /** Waits before the record is polled again at which the handler of a shadow consumer failed. */
    private void handleAgain(Throwable failed) {
        if (failed instanceof InterruptedException) {
            Thread.currentThread().interrupt();
            return;
        }
        log.error(
                "The handler of shadow consumer {} failed. Its record is polled again, as often as it fails.",
                processor.describe(),
                FailureText.loggable(failed));
        backOff(LONG_BACK_OFF_MILLIS, failed);
    }

    private void recover(Throwable failed) {
        // Poll may have thrown after records of other partitions were taken out of the fetch: they have to come again.
        mustRewind = true;
        if (KafkaFailures.isLostAssignment(failed)) {
            backOff(FIRST_BACK_OFF_MILLIS, failed);
        } else {
            log.error(
                    "Consumer {} failed to poll {}; it goes on.",
                    processor.describe(),
                    settings.topics(),
                    FailureText.loggable(failed));
            backOff(LONG_BACK_OFF_MILLIS, failed);
        }
    }

    private void backOff(long firstMillis, Throwable failed) {
        long millis = firstMillis << Math.min(failuresInARow++, MOST_DOUBLINGS);
        log.warn(
                "Polling {} failed; the next try is in {} ms: {}", settings.topics(), millis, FailureText.line(failed));
        try {
            life.pause(millis);
        } catch (InterruptedException interrupted) {
            throw new InterruptException(interrupted);
        }
    }

    private void finish(Consumer<K, V> kafka) {
        try {
            processor.finish(kafka);
        } catch (WakeupException wakeup) {
            // The one of close(), which came after the last poll.
            processor.finish(kafka);
        }
        stored.ifPresent(StoredOffsets::store);
    }

    /**
     * Ends the loop: finishes the records that are being handled, commits the offsets of settled ones and closes the consumer. Waits for that, at
     * most the close timeout, and not at all if the handler itself calls it.
     */
    @Override
    public void close() {
        if (!life.close()) {
            return;
        }
        Consumer<K, V> kafka = consumer;
        if (kafka != null) {
            kafka.wakeup();
        }
        if (!life.awaitEnd(settings.closeTimeout())) {
            log.warn(
                    "Consumer {} still handles records after {} s; it stops by itself when they are done.",
                    processor.describe(),
                    settings.closeTimeout().toSeconds());
        }
    }
}

package io.idempotency.kafka;

import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.store.IdempotencyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Consumes topics as members of a share group, and handles each record by a {@link ShareProcessor}:
 *
 * <pre>{@code
 * ShareLoop<String, Order> loop = ShareLoop.of(billing, (record, claim) -> charge(record.value()))
 *     .properties(properties)
 *     .topics("orders")
 *     .build();
 * executor.execute(loop);
 * ...
 * loop.close();
 * }</pre>
 *
 * <p>Each member has a Kafka consumer and a thread. A member that holds a record which is not settled gets no others from Kafka, so a loop has several. An unreachable
 * Kafka and a store that cannot be used do not end it: it logs them and goes on. If Kafka refuses for good, or on an error of the virtual machine, all members are closed
 * and {@code run} throws.
 *
 * <p>It runs once. {@link #close} may be called from any thread, at any time, more than once.
 */
public final class ShareLoop<K, V> implements Runnable, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ShareLoop.class);
    private static final long BACK_OFF_MILLIS = 1_000;

    private final ShareLoopBuilder<K, V> settings;
    private final LoopLife life = new LoopLife();
    private final LoopLife ending = new LoopLife();
    private final Set<ShareConsumer<?, ?>> consumers = ConcurrentHashMap.newKeySet();
    private final Set<ShareProcessor<K, V>> processors = ConcurrentHashMap.newKeySet();
    private final ShareMembers members;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    ShareLoop(ShareLoopBuilder<K, V> settings) {
        this.settings = settings;
        this.members = new ShareMembers(settings.properties());
    }

    /**
     * Returns a builder of a loop that hands single records to the handler, which has to be thread-safe.
     *
     * @throws IdempotencyException if the consumer cannot have the records of a share group; see {@link io.idempotency.ShareDelivery#of}
     */
    public static <K, V> ShareLoopBuilder<K, V> of(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer, MessageHandler<? super ConsumerRecord<K, V>> handler) {
        return new ShareLoopBuilder<>(consumer, handler);
    }

    /**
     * Consumes until {@link #close} is called or the thread is interrupted; returns at once if it is closed already.
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
            throw new IdempotencyException("A share loop runs only once; build another one");
        }
        try (LoopReplays replays = new LoopReplays()) {
            settings.startReplays(replays);
            int limit = settings.deliveryLimit().orElseGet(() -> ShareProcessor.deliveryLimit(settings.properties()));
            if (settings.members() >= limit) {
                log.warn(
                        "Share group {} delivers a record {} times, and this loop has {} members. If its process is killed, each member may use a delivery, and the broker archives a"
                                + " record that had its last one. Raise group.share.delivery.count.limit of the brokers, or set members(..) to less than it.",
                        settings.group(),
                        limit,
                        settings.members());
            }
            List<Thread> others = new ArrayList<>();
            for (int i = 1; i < settings.members(); i++) {
                Thread member =
                        new Thread(() -> member(limit), Thread.currentThread().getName() + "-" + i);
                member.setDaemon(true);
                others.add(member);
                member.start();
            }
            member(limit);
            others.forEach(ShareLoop::join);
        } catch (RuntimeException | Error forGood) {
            failure.compareAndSet(null, forGood);
        } finally {
            life.end();
            settings.tellEnd(failure());
        }
        Throwable forGood = failure.get();
        if (forGood != null) {
            throw Contained.fatal(forGood);
        }
    }

    private static void join(Thread member) {
        boolean isInterrupted = Thread.interrupted();
        while (member.isAlive()) {
            try {
                member.join();
            } catch (InterruptedException again) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void member(int limit) {
        try (ShareProcessor<K, V> processor = settings.processor(limit)) {
            processors.add(processor);
            while (!isEnding()) {
                consume(processor);
            }
        } catch (RuntimeException | Error forGood) {
            if (failure.compareAndSet(null, forGood)) {
                log.error(
                        "Share group {} cannot go on consuming {}; its loop ends.",
                        settings.group(),
                        settings.topics(),
                        FailureText.loggable(forGood));
            }
            stop();
        }
    }

    /** Consumes with one Kafka consumer to the end, or until it fails: what it held is free then, and comes again. */
    private void consume(ShareProcessor<K, V> processor) {
        boolean isInterrupted = false;
        boolean isFailed = false;
        ShareConsumer<byte[], byte[]> kafka = new KafkaShareConsumer<>(settings.consumer());
        consumers.add(kafka);
        ShareMembers.Member member = members.member();
        try {
            member.fetches();
            consume(processor, kafka);
        } catch (WakeupException wakeup) {
            log.debug("Woken up to be closed.");
        } catch (InterruptException interrupted) {
            log.info("A thread of share group {} was interrupted; its loop ends.", settings.group());
            // Kept aside until the consumer is closed: it could not be closed in order otherwise.
            isInterrupted = Thread.interrupted();
            stop();
        } catch (RuntimeException failed) {
            if (KafkaFailures.isForGood(failed)) {
                stop();
                throw failed;
            }
            log.error(
                    "A member of share group {} failed to consume {}; another one takes its place.",
                    settings.group(),
                    settings.topics(),
                    FailureText.loggable(failed));
            isFailed = true;
        } catch (Error fatal) {
            // Before this member releases what it has: the others would get that.
            stop();
            throw fatal;
        } finally {
            consumers.remove(kafka);
            close(member, kafka);
        }
        if (isFailed) {
            isInterrupted = !pause();
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void close(ShareMembers.Member member, ShareConsumer<byte[], byte[]> kafka) {
        try {
            if (isEnding()) {
                member.closeWithOthers(kafka, kafka::close);
            } else {
                member.closeAlone(kafka::close);
            }
        } catch (RuntimeException failed) {
            log.warn(
                    "A member of share group {} was not closed in order. What it held comes again when its locks run out: {}",
                    settings.group(),
                    FailureText.line(failed));
        }
    }

    private void consume(ShareProcessor<K, V> processor, ShareConsumer<byte[], byte[]> kafka) {
        log.info(
                "A member of consumer {} consumes {} in share group {}.",
                processor.describe(),
                settings.topics(),
                settings.group());
        kafka.setAcknowledgementCommitCallback(ShareLoop::acknowledged);
        kafka.subscribe(settings.topics());
        while (!isEnding()) {
            processor.process(kafka, kafka.poll(settings.pollTimeout()));
        }
    }

    private boolean isEnding() {
        return life.isClosing() || ending.isClosing();
    }

    /** Waits before the next try. Returns whether the thread was not interrupted. */
    private boolean pause() {
        try {
            life.pause(BACK_OFF_MILLIS);
            return true;
        } catch (InterruptedException interrupted) {
            stop();
            return false;
        }
    }

    static void acknowledged(Map<TopicIdPartition, Set<Long>> offsets, @Nullable Exception failure) {
        if (failure != null) {
            log.warn(
                    "Kafka did not take acknowledgments or renewals of {}. A record that comes again is a duplicate if it was settled, and is handled otherwise: {}",
                    offsets,
                    FailureText.line(failure));
        }
    }

    /** Returns whether the loop runs: from the call of {@link #run} until all Kafka consumers are closed. */
    public boolean isRunning() {
        return life.isRunning();
    }

    /** Returns the failure that ended the loop; empty while it runs, and if it was closed or interrupted. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure.get());
    }

    private void stop() {
        boolean unused = ending.close();
        processors.forEach(ShareProcessor::close);
        consumers.forEach(ShareConsumer::wakeup);
    }

    /**
     * Ends the loop: finishes the records that are being handled, accepts settled ones and closes the consumers, which releases the others; that counts as a delivery.
     * Waits for it, at most the close timeout, and not at all if a member's thread calls it.
     */
    @Override
    public void close() {
        if (!life.close()) {
            return;
        }
        stop();
        if (!life.awaitEnd(settings.closeTimeout())) {
            log.warn(
                    "Share group {} still handles records after {} s; it stops by itself when they are done.",
                    settings.group(),
                    settings.closeTimeout().toSeconds());
        }
    }
}

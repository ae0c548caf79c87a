package io.idempotency;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Consumes messages that a share group delivers: one by one, in any order, each in a transaction or with a lease of its own. Nothing that happens to one holds
 * another back. The caller holds the message until it is settled: he renews its acquisition lock and never releases it, because Kafka counts each release.
 *
 * <p>The broker archives a record without a word when its last delivery ends without a result. So a message that is surely delivered at most once more is
 * put into quarantine before its handler runs, and taken out when it is settled. If the handler kills the process, the message is still there. If it fails at the last delivery, it stays
 * there at once.
 *
 * <p>Thread-safe. Give a message from one thread at a time.
 */
public final class ShareDelivery<M> {

    private static final Logger log = LoggerFactory.getLogger(ShareDelivery.class);
    /** With so many deliveries left a message is kept in quarantine before it is handled: the process may die before it has written down the last one. */
    private static final int KEPT = 1;

    private static final Duration LATER = Duration.ofSeconds(1);
    /** A call that ran out of time or was interrupted may come again at once, but not in a row without a pause. */
    private static final Duration SHORTEST = Duration.ofMillis(50);

    private final IdempotentConsumer<M> consumer;
    private final LastDelivery<M> last;

    private ShareDelivery(IdempotentConsumer<M> consumer) {
        this.consumer = consumer;
        this.last = new LastDelivery<>(consumer);
    }

    /**
     * Returns the deliveries of a share group to a consumer.
     *
     * @throws IdempotencyException if the consumer cannot have them: its store knows a duplicate only in the partition of the original or in their order, its level is
     *     neither {@code STRONG} nor {@code AT_LEAST_ONCE}, it keeps the order of keys, only watches, or has no quarantine
     */
    public static <M> ShareDelivery<M> of(IdempotentConsumer<M> consumer) {
        Settings<M> settings = consumer.settings();
        require(
                settings.level() == ConsistencyLevel.STRONG || settings.level() == ConsistencyLevel.AT_LEAST_ONCE,
                settings,
                "its level is " + settings.level()
                        + ". A share group delivers a record again whenever its lock runs out, so only STRONG and AT_LEAST_ONCE mean something there");
        require(
                !settings.storage().store().isPartitioned(),
                settings,
                "its store remembers messages in the order of their partition. A share group delivers them in any order, so a journal would miss copies. Use the table store");
        require(
                settings.messages().key().isEmpty(),
                settings,
                "it keeps the order of keys, and a share group has no order. Leave out keyOrder()");
        require(
                !settings.isShadow(),
                settings,
                "it only watches. A shadow consumer decides nothing, and records of a share group have to be acknowledged");
        require(
                settings.failures().quarantine().isPresent(),
                settings,
                "it has no quarantine. The broker archives a record after its last delivery, so there must be another place for it. Set quarantine(..)");
        settings.storage().store().anyOrder(settings.name());
        return new ShareDelivery<>(consumer);
    }

    private static void require(boolean holds, Settings<?> settings, String otherwise) {
        if (!holds) {
            throw new IdempotencyException(
                    "Consumer " + settings.name() + " cannot have the records of a share group: " + otherwise);
        }
    }

    /** Returns name and level of the consumer, for logs. */
    public String describe() {
        return consumer.name() + " (" + consumer.level() + ")";
    }

    /**
     * Consumes a message. Failures do not leave, but for errors of the virtual machine: they are charged, quarantined or waited for as the consumer is set. A message that
     * is handled again is given as a new object, because a handler may have changed it.
     *
     * @param left how often it surely is delivered again if this process dies
     * @return how long to hold the message before the next try; empty if it is settled, so that it can be accepted: its transaction has committed
     */
    public Optional<Duration> consume(M message, MessageHandler<? super M> handler, int left) {
        return contained(() ->
                left <= KEPT ? last.consume(message, handler, left) : consumer.consumeAll(List.of(message), handler));
    }

    /**
     * Charges a message that cannot become an {@code M}, as {@link IdempotentConsumer#reject} does.
     *
     * @param left how often it surely is delivered again if this process dies
     * @return as {@link #consume} does
     */
    public Optional<Duration> reject(
            Position position, Optional<String> messageId, Payload payload, Throwable cause, int left) {
        Item<Payload> item = consumer.rejected(Lane.alone(position), position, messageId, payload);
        return contained(() -> left <= KEPT
                ? last.reject(
                        item,
                        left,
                        () -> consumer.reject(item, cause),
                        failure -> consumer.quarantineRejected(item, failure))
                : consumer.reject(item, cause));
    }

    /** Forgets the attempts of a message that was not settled here: its lock has run out, and another member gets it. */
    public void giveUp(Position position) {
        Lane lane = Lane.alone(position);
        consumer.flow().lanes().forget(lane);
        consumer.flow().suspects().forget(lane);
        consumer.flow().reports().gaveUp(lane);
    }

    private Optional<Duration> contained(Supplier<BatchResult> work) {
        try {
            BatchResult result = work.get();
            return result.stops().stream().findFirst().map(stop -> max(stop.retryAfter()));
        } catch (RuntimeException | Error failure) {
            Causes.letFatalLeave(failure);
            if (failure instanceof TransientStoreException) {
                log.warn("Consumer {}: a message waits 1 s: {}", describe(), FailureText.line(failure));
                return Optional.of(LATER);
            }
            log.error(
                    "Consumer {}: a message is not settled; it is tried again every {} s. Nothing is lost.",
                    describe(),
                    IdempotentConsumer.STAND_STILL.toSeconds(),
                    FailureText.loggable(failure));
            return Optional.of(IdempotentConsumer.STAND_STILL);
        }
    }

    private static Duration max(Duration wait) {
        return wait.compareTo(SHORTEST) < 0 ? SHORTEST : wait;
    }
}

package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles messages that may not be delivered again if this process dies:
 *
 * <ol>
 *   <li>Keep the message in quarantine, with its bytes, in a transaction of its own. Its id stays new, so that it can be claimed.
 *   <li>Handle it as ever. If it fails and comes never again, quarantine it at this first attempt.
 *   <li>Settled without a failure: delete what was kept, unless somebody has saved it anew.
 * </ol>
 *
 * <p>A crash behind the first step leaves an entry, which a replay handles. If the effect had committed, the replay finds a duplicate and only deletes the entry.
 */
final class LastDelivery<M> {

    private static final Logger log = LoggerFactory.getLogger(ShareDelivery.class);

    private final IdempotentConsumer<M> consumer;
    private final ClaimStore store;
    private final QuarantineStore quarantine;

    LastDelivery(IdempotentConsumer<M> consumer) {
        this.consumer = consumer;
        this.store = consumer.settings().storage().store();
        this.quarantine = consumer.settings().failures().quarantine().orElseThrow();
    }

    BatchResult consume(M message, MessageHandler<? super M> handler, int left) {
        Item<M> item = consumer.read(message);
        Payload payload = payload(
                () -> Quarantining.read(item, consumer.settings().messages().reader()::payload));
        return handle(
                item.delivery(),
                payload,
                left,
                work -> consumer.lookUp(message, work),
                () -> consumer.consumeAll(List.of(message), handler),
                failure -> consumer.quarantine(message, failure, 1));
    }

    /** Charges a message that cannot be read. */
    BatchResult reject(
            Item<Payload> item,
            int left,
            Supplier<BatchResult> attempt,
            Function<Throwable, BatchResult> quarantining) {
        return handle(item.delivery(), payload(item::message), left, this::inTransaction, attempt, quarantining);
    }

    private Payload payload(Supplier<Payload> reader) {
        return consumer.settings().failures().keepPayloads() ? reader.get() : Payload.none(Payload.Origin.SWITCHED_OFF);
    }

    private BatchResult handle(
            Delivery delivery,
            Payload payload,
            int left,
            Function<Supplier<Optional<Long>>, Optional<Long>> transaction,
            Supplier<BatchResult> attempt,
            Function<Throwable, BatchResult> quarantining) {
        Optional<Long> kept = transaction.apply(() -> keep(delivery, payload));
        BatchResult result = attempt.get();
        for (Stop stop : result.stops()) {
            if (stop.isCharged() && left == 0) {
                result = quarantining.apply(stop.cause().orElseThrow());
            }
        }
        if (kept.isPresent() && result.isSettled() && result.outcomes().get(0) != Outcome.QUARANTINED) {
            Optional<Long> unused = transaction.apply(() -> drop(delivery, kept.get()));
        }
        return result;
    }

    private Optional<Long> inTransaction(Supplier<Optional<Long>> work) {
        List<Optional<Long>> result = new java.util.ArrayList<>(1);
        consumer.settings().storage().transactions().inTransaction(() -> {
            result.clear();
            result.add(work.get());
        });
        return result.get(0);
    }

    /** Returns the generation of the entry, also of one that an earlier attempt has made; empty if the message needs none, or has one for another reason. */
    private Optional<Long> keep(Delivery delivery, Payload payload) {
        Optional<QuarantineEntry> entry = quarantine.find(delivery.id());
        if (entry.isEmpty() && store.find(delivery.id()).isEmpty()) {
            Throwable why = new LastDeliveryException(delivery.toString());
            quarantine.save(new QuarantinedMessage(delivery, payload, FailureText.forQuarantine(why), 0));
            log.warn(
                    "{} came again, or for the last time. It is kept in {} until it is settled.", delivery, quarantine);
            entry = quarantine.find(delivery.id());
        }
        return entry.filter(there -> there.message().failure().type().equals(LastDeliveryException.class.getName()))
                .map(QuarantineEntry::generation);
    }

    private Optional<Long> drop(Delivery delivery, long generation) {
        if (quarantine.take(delivery.id(), generation).isPresent()) {
            boolean unused = quarantine.delete(delivery.id());
        }
        return Optional.empty();
    }
}

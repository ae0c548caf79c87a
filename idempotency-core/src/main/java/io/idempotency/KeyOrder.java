package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Keeps the order of keys: a message whose key has an earlier message in quarantine follows it there. Thread-safe.
 *
 * <ol>
 *   <li>Before a claim, read the keys of its partitions, unless they are {@linkplain BlockedKeys known}.
 *   <li>A granted message with such a key is suspect. In the transaction of its claim, a query says whether an earlier message is still in
 *       quarantine. If so, the message is quarantined behind it. If not, the key is free, once that transaction has committed.
 *   <li>A claim that is answered with quarantined blocks its key, too: a former owner may have quarantined the message after the keys were read.
 * </ol>
 */
final class KeyOrder<M> {

    private final String consumer;
    private final ClaimStore store;
    private final QuarantineStore quarantine;
    private final boolean keepPayloads;
    private final MessageReader<? super M> reader;
    private final BlockedKeys keys;
    private final Optional<ResendCheck<? super M>> resends;

    /** A key within its partition. */
    record Key(Lane lane, long hash) {
        static Key of(Item<?> item) {
            return new Key(item.lane(), item.keyHash());
        }
    }

    private KeyOrder(Settings<M> settings, QuarantineStore quarantine, BlockedKeys keys) {
        this.consumer = settings.name();
        this.store = settings.storage().store();
        this.quarantine = quarantine;
        this.keepPayloads = settings.failures().keepPayloads();
        this.reader = settings.messages().reader();
        this.keys = keys;
        this.resends = settings.messages().resends();
    }

    /**
     * Returns the order of keys, if the consumer keeps it.
     *
     * @throws IdempotencyException if it needs what the consumer does not have
     */
    static <M> Optional<KeyOrder<M>> of(Settings<M> settings, BlockedKeys keys) {
        if (settings.messages().key().isEmpty()) {
            return Optional.empty();
        }
        if (settings.level() == ConsistencyLevel.NONE) {
            throw needs(settings, "a level that remembers messages, not NONE");
        }
        if (settings.messages().reader().getClass()
                == MessageReader.withoutPosition().getClass()) {
            throw needs(settings, "a reader(..) that returns positions and keys");
        }
        QuarantineStore quarantine = settings.failures()
                .quarantine()
                .orElseThrow(() -> needs(settings, "quarantine(..), where later messages of a key wait"));
        return Optional.of(new KeyOrder<>(settings, quarantine, keys));
    }

    private static IdempotencyException needs(Settings<?> settings, String what) {
        return new IdempotencyException("Consumer " + settings.name() + ": keyOrder() needs " + what);
    }

    BlockedKeys keys() {
        return keys;
    }

    /** Reads the keys of the partitions where they are not known, in transactions of their own. The messages are the first unsettled ones. */
    void read(List<Item<M>> items) {
        for (Item<M> first : Poll.firstOfEachLane(items)) {
            Lane lane = first.lane();
            long offset = first.delivery().position().offset();
            if (!keys.areKnown(lane, offset)) {
                keys.read(
                        lane,
                        offset,
                        quarantine.keyHashes(consumer, lane.stream(), lane.partition(), BlockedKeys.MOST));
            }
        }
    }

    /**
     * Returns how many of the claimed messages may go on together: those before the first granted one whose key has a re-send before it. What was sent
     * again is compared after them, and may then be quarantined, or stop its partition.
     */
    int together(List<Item<M>> items, List<Claim> claims) {
        Set<Key> uncertain = new HashSet<>();
        for (int i = 0; i < items.size(); i++) {
            Item<M> item = items.get(i);
            if (claims.get(i).isGranted() && uncertain.contains(Key.of(item))) {
                return i;
            }
            if (item.keyHash() != KeyHash.NONE
                    && Reports.duplicate(claims.get(i))
                            .filter(this::isUncertain)
                            .isPresent()) {
                uncertain.add(Key.of(item));
            }
        }
        return items.size();
    }

    private boolean isUncertain(Duplicate duplicate) {
        return duplicate.kind() == Duplicate.Kind.RESEND
                && resends.filter(check -> check.policy() != ResendCheck.Policy.SKIP)
                        .isPresent();
    }

    /** Returns whether the key of the message may have others in quarantine. */
    boolean isSuspect(Item<M> item) {
        return keys.hold(item.lane(), item.keyHash());
    }

    /** Returns the bytes of the message. Not called within a transaction. */
    Payload payload(Item<M> item) {
        return keepPayloads ? Quarantining.read(item, reader::payload) : Payload.none(Payload.Origin.SWITCHED_OFF);
    }

    /** Returns the last message of this key before the message that is in quarantine. */
    Optional<Delivery> before(Item<M> item) {
        return quarantine.lastBefore(consumer, item.delivery().position(), item.keyHash());
    }

    /** Quarantines a message behind an earlier one, in the active transaction, which holds its claim. */
    void hold(Item<M> item, Claim claim, Payload payload, BehindQuarantineException why) {
        store.quarantine(claim);
        quarantine.save(new QuarantinedMessage(
                item.delivery(), payload, FailureText.forQuarantine(why), 0, item.keyHash(), true));
    }

    /** Notes how far the partitions of the messages are settled. */
    void settled(List<Item<M>> items) {
        for (Item<M> first : Poll.firstOfEachLane(items)) {
            Item<M> last = null;
            for (Item<M> item : items) {
                if (item.lane().equals(first.lane())) {
                    Outcome outcome = item.outcome();
                    if (outcome == null || !outcome.isSettled()) {
                        break;
                    }
                    last = item;
                }
            }
            if (last != null) {
                keys.settled(
                        first.lane(),
                        first.delivery().position().offset(),
                        last.delivery().position().offset());
            }
        }
    }
}

package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the messages of one transaction that {@link KeyOrder} holds back, and quarantines them in it. Confined to the consuming thread. */
final class HeldBack<M> {

    /**
     * Rolls back before a handler ran: a key is blocked that was not known to be, and bytes are not read within a transaction. Or it may be blocked as
     * soon as a re-send is compared.
     */
    static final class Learned extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private Learned() {
            super("A key turned out to be blocked, or may be soon", null, false, false);
        }
    }

    private final KeyOrder<M> order;
    private final List<Item<M>> items;
    private final Map<Item<M>, Payload> suspects = new HashMap<>();
    private final Map<Item<M>, BehindQuarantineException> held = new HashMap<>();
    /** The keys that messages of this transaction block. */
    private final Map<KeyOrder.Key, Delivery> blocked = new HashMap<>();

    private final Set<KeyOrder.Key> free = new HashSet<>();
    private int together;

    HeldBack(KeyOrder<M> order, List<Item<M>> items) {
        this.order = order;
        this.items = items;
        this.together = items.size();
    }

    /** Reads what the transaction needs. Called before it. */
    void prepare() {
        order.read(items);
        for (Item<M> item : items) {
            if (order.isSuspect(item)) {
                suspects.put(item, order.payload(item));
            }
        }
    }

    /**
     * Quarantines, in the active transaction, the granted messages that stand behind others. Returns the claims, in which those are quarantined.
     *
     * @throws Learned if a message stands behind another one unexpectedly; the transaction is to be run again, with {@link #together} messages
     */
    List<Claim> holdBack(List<Claim> claims) {
        held.clear();
        blocked.clear();
        free.clear();
        together = order.together(items, claims);
        if (together < items.size()) {
            throw new Learned();
        }
        List<Claim> answers = new ArrayList<>(claims);
        for (int i = 0; i < items.size(); i++) {
            Item<M> item = items.get(i);
            Claim claim = claims.get(i);
            if (claim.status() == Claim.Status.QUARANTINED) {
                block(item, claim);
            } else if (claim.isGranted() && isHeldBack(item, claim)) {
                answers.set(i, Claim.quarantined(item.delivery(), Optional.empty()));
            }
        }
        return answers;
    }

    /** Returns how many of the messages may share a transaction: all, unless {@link #holdBack} says otherwise. */
    int together() {
        return together;
    }

    /** A copy that was quarantined in another partition blocks nothing here. */
    private void block(Item<M> item, Claim claim) {
        boolean isHere = claim.processed()
                .map(first ->
                        first.position().equals(Position.UNKNOWN) || item.lane().holds(first.position()))
                .orElse(true);
        if (isHere && item.keyHash() != KeyHash.NONE) {
            blocked.put(KeyOrder.Key.of(item), item.delivery());
            order.keys().block(item.lane(), item.keyHash());
        }
    }

    private boolean isHeldBack(Item<M> item, Claim claim) {
        KeyOrder.Key key = KeyOrder.Key.of(item);
        Delivery before = blocked.get(key);
        Payload payload = suspects.get(item);
        if (payload == null && before != null) {
            throw new Learned();
        }
        if (payload == null || (before == null && free.contains(key))) {
            return false;
        }
        Optional<Delivery> found = before == null ? order.before(item) : Optional.of(before);
        if (found.isEmpty()) {
            free.add(key);
            return false;
        }
        BehindQuarantineException why = new BehindQuarantineException(found.get());
        order.hold(item, claim, payload, why);
        held.put(item, why);
        blocked.put(key, item.delivery());
        return true;
    }

    /** Reports the message if it was held back. Called after the commit. Returns whether it was. */
    boolean report(Flow<M> flow, Item<M> item) {
        BehindQuarantineException why = held.get(item);
        if (why != null) {
            flow.heldBack(item, why);
        }
        return why != null;
    }

    /** Frees the keys that have no message in quarantine any more. Called after the commit. */
    void committed() {
        free.removeAll(blocked.keySet());
        free.forEach(key -> order.keys().free(key.lane(), key.hash()));
    }
}

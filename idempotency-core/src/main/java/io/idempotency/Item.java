package io.idempotency;

import io.idempotency.store.Delivery;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One message of a poll on its way through a level. Confined to the consuming thread. */
final class Item<M> {

    private final int index;
    private final M message;
    private final Delivery delivery;
    private final Lane lane;
    private @Nullable Throwable unreadable;
    private long keyHash;
    private final @Nullable Instant expiry;
    private boolean isReadingDoubtful;
    private @Nullable Outcome outcome;
    private boolean isResendCheckAwaited;
    private @Nullable Duplicate resend;
    private long handlerNanos;

    Item(int index, M message, Delivery delivery, Lane lane, Reading.Read read) {
        this.index = index;
        this.message = message;
        this.delivery = delivery;
        this.lane = lane;
        this.unreadable = read.unreadable();
        this.expiry = read.expiry();
    }

    /** Names the first of the messages, and how many there are. */
    static String named(List<? extends Item<?>> items) {
        Delivery first = items.get(0).delivery();
        return items.size() == 1 ? first.toString() : first + " and " + (items.size() - 1) + " more";
    }

    int index() {
        return index;
    }

    M message() {
        return message;
    }

    Delivery delivery() {
        return delivery;
    }

    Lane lane() {
        return lane;
    }

    /** Returns why its id or expiry cannot be used, so that it is not handled. Without a usable id its delivery carries a made-up one. */
    Optional<Throwable> unreadable() {
        return Optional.ofNullable(unreadable);
    }

    void unreadable(Throwable why) {
        unreadable = why;
    }

    /** Returns whether its key could not be read, so that it must neither be handled nor be quarantined. */
    boolean isKeyUnknown() {
        return unreadable instanceof UnknownKeyException;
    }

    /** Returns the hash of its key; {@link KeyHash#NONE} without a key, and if no order of keys is kept. */
    long keyHash() {
        return keyHash;
    }

    void keyHash(long hash) {
        keyHash = hash;
    }

    /** Returns whether the id of its delivery is its own. */
    boolean hasUsableId() {
        return unreadable == null || unreadable instanceof InvalidExpiryException;
    }

    /** Returns from when on the message is expired; empty if it never expires. */
    Optional<Instant> expiry() {
        return Optional.ofNullable(expiry);
    }

    /** Returns whether no message of its stream had a usable id yet, so that it may be the reading that is wrong, and not this message. */
    boolean isReadingDoubtful() {
        return isReadingDoubtful;
    }

    void doubtReading() {
        isReadingDoubtful = true;
    }

    @Nullable
    Outcome outcome() {
        return outcome;
    }

    void outcome(Outcome settled) {
        outcome = settled;
    }

    /** Opens a message again whose outcome does not hold. */
    void reopen() {
        outcome = null;
    }

    /** Has {@link #deferResend} take place. */
    void awaitResendCheck() {
        isResendCheckAwaited = true;
    }

    /** Keeps a duplicate that was sent again for its check. Returns whether it is to be checked before it counts as settled. */
    boolean deferResend(Duplicate duplicate) {
        if (isResendCheckAwaited && duplicate.kind() == Duplicate.Kind.RESEND) {
            resend = duplicate;
        }
        return resend != null;
    }

    /** Returns whether it is a duplicate that waits for its check. */
    boolean isResendDeferred() {
        return resend != null;
    }

    /** Returns the duplicate that waits for its check, once. */
    Optional<Duplicate> takeResend() {
        Optional<Duplicate> taken = Optional.ofNullable(resend);
        resend = null;
        return taken;
    }

    long handlerNanos() {
        return handlerNanos;
    }

    void handlerNanos(long nanos) {
        handlerNanos = nanos;
    }
}

package io.idempotency;

import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Remembers partitions in trouble between polls: the failing message and its attempts, transient failures in a row, the chunk limit, and
 * messages quarantined in a row for the same failure. A partition without trouble takes no space. Thread-safe.
 *
 * <p>A partition is redelivered from its first unsettled message on, so only one of its messages fails at a time. Messages of a share group have lanes of their
 * own; only their failures in a row are those of the partition. {@link Unplaced} counts the failures of messages without a position.
 */
final class Lanes {

    /** How many bytes of failing messages are kept; beyond it, those of a message are read again when they are needed. */
    static final long MOST_BYTES = 16 << 20;

    private final ConcurrentMap<Lane, Trouble> troubles = new ConcurrentHashMap<>();
    private final Unplaced unplaced;
    private final BlockedKeys blockedKeys;
    private final LongSupplier nanoTime;
    private final LongUnaryOperator random;
    private final AtomicLong keptBytes = new AtomicLong();

    Lanes(LongSupplier nanoTime) {
        this(Clockwork.of(nanoTime));
    }

    Lanes(Clockwork clockwork) {
        this.nanoTime = clockwork.nanoTime();
        this.random = clockwork.random();
        this.unplaced = new Unplaced(nanoTime);
        this.blockedKeys = new BlockedKeys(nanoTime);
    }

    /**
     * A failure that says nothing about its message.
     *
     * @param inARow how many there have been since the partition got on, this one included
     * @param since how long ago the first of them was
     * @param pause how long the partition waits now
     */
    record Passing(int inARow, Duration since, Duration pause) {}

    /** Returns whether no partition is in trouble. */
    boolean isEmpty() {
        return troubles.isEmpty() && unplaced.isEmpty();
    }

    /** Returns the keys that may have messages in quarantine. */
    BlockedKeys blockedKeys() {
        return blockedKeys;
    }

    /** Forgets a lane, whose messages another consumer gets. */
    void forget(Lane lane) {
        ease(lane, trouble -> Trouble.NONE);
        blockedKeys.forget(lane);
    }

    private Trouble of(Lane lane) {
        return troubles.getOrDefault(lane, Trouble.NONE);
    }

    /** Returns whether this very message failed alone before and is not settled yet. */
    boolean hasFailed(Lane lane, MessageId id) {
        return !isEmpty() && attempts(lane, id) > 0;
    }

    /** Returns how many messages of the lane may share a transaction. */
    int limit(Lane lane, int most) {
        return troubles.isEmpty() ? most : Math.min(most, of(lane).limit());
    }

    /** Returns whether fewer messages than usual may share a transaction, after a transient failure or a chunk that took too long. */
    boolean isLimited(Lane lane) {
        return !troubles.isEmpty() && of(lane).limit() < Integer.MAX_VALUE;
    }

    /** Returns how often the message failed alone. */
    int attempts(Lane lane, MessageId id) {
        if (!lane.isOrdered()) {
            return unplaced.attempts(id);
        }
        Trouble.Failing failing = of(lane).failing(id);
        return failing == null ? 0 : failing.attempts();
    }

    /** Counts a failure of a message alone. Returns how many there have been, at least as many as given. */
    int countFailure(Lane lane, MessageId id, int atLeast) {
        if (!lane.isOrdered()) {
            return unplaced.countFailure(id, atLeast);
        }
        Trouble changed = change(lane, trouble -> {
            Trouble.Failing before = trouble.failing(id);
            return trouble.withFailing(
                    before == null
                            ? new Trouble.Failing(id, Math.max(1, atLeast), null)
                            : new Trouble.Failing(id, Math.max(before.attempts() + 1, atLeast), before.payload()));
        });
        return Objects.requireNonNull(changed.failing(id)).attempts();
    }

    /** Returns the bytes of a failing message. They are read at its first failure, because they may be gone later. */
    Payload payload(Lane lane, MessageId id, Supplier<Payload> reader) {
        Trouble.Failing failing = of(lane).failing(id);
        if (failing != null && failing.payload() != null) {
            return failing.payload();
        }
        Payload read = reader.get();
        if (lane.isOrdered() && keptBytes.get() + Trouble.bytes(read) <= MOST_BYTES) {
            change(lane, trouble -> {
                Trouble.Failing now = trouble.failing(id);
                return now == null ? trouble : trouble.withFailing(new Trouble.Failing(id, now.attempts(), read));
            });
        }
        return read;
    }

    /** Returns how many bytes of failing messages are kept. */
    long keptBytes() {
        return keptBytes.get();
    }

    /** Notes a transient failure of a chunk: the next one is half as large. */
    Passing transientFailure(Lane lane, int chunk) {
        long now = nanoTime.getAsLong();
        Trouble changed = change(lane, trouble -> {
            Trouble.Row before = trouble.row();
            return trouble.waiting(
                            new Trouble.Row(before.failures() + 1, before.failures() == 0 ? now : before.sinceNanos()))
                    .withLimit(Math.min(trouble.limit(), Math.max(1, chunk / 2)));
        });
        return new Passing(
                changed.row().failures(),
                Duration.ofNanos(now - changed.row().sinceNanos()),
                BackOff.afterTransients(changed.waits(), random));
    }

    /** Returns how many transient failures of the lane there have been in a row. */
    int transientsInARow(Lane lane) {
        return of(lane).row().failures();
    }

    /** Returns whether the lane waits: one of its messages fails alone, or something else than a message keeps it back. */
    boolean isWaiting(Lane lane) {
        Trouble trouble = of(lane);
        return trouble.failing() != null || trouble.waits() > 0;
    }

    /** Notes that another owner holds a message of the lane. Returns how long to wait. */
    Duration waitForOther(Lane lane) {
        return BackOff.afterTransients(
                change(lane, trouble -> trouble.waiting(trouble.row())).waits(), random);
    }

    /** Notes that a chunk took too long after so many messages. */
    void outOfTime(Lane lane, int handled) {
        change(lane, trouble -> trouble.withLimit(Math.max(1, handled / 2)));
    }

    /**
     * Returns how many other messages in a row were quarantined for the same failure, the one given not counted.
     */
    int quarantinedInARow(Lane lane, String failure) {
        Trouble trouble = of(lane.whole());
        return trouble.failure().equals(failure) ? trouble.failuresInARow() : 0;
    }

    /** The end of a row of messages that were quarantined for the same failure. */
    record Quarantined(String failure, int inARow, Duration ago) {}

    /** Returns the messages that were quarantined in a row last; none in a row if the last message was processed. */
    Quarantined quarantinedLast(Lane lane) {
        Trouble trouble = of(lane.whole());
        return new Quarantined(
                trouble.failure(),
                trouble.failuresInARow(),
                Duration.ofNanos(nanoTime.getAsLong() - trouble.failedNanos()));
    }

    /** Notes that a failing message of the lane is in quarantine. */
    void quarantined(Lane lane, MessageId id, String failure) {
        unplaced.settled(lane, id);
        long now = nanoTime.getAsLong();
        settle(lane, id);
        change(
                lane.whole(),
                trouble -> trouble.withFailure(
                        failure, trouble.failure().equals(failure) ? trouble.failuresInARow() + 1 : 1, now));
    }

    /** Notes that a message was processed: nothing fails in a row any more. */
    void processed(Lane lane, MessageId id) {
        if (isEmpty()) {
            return;
        }
        unplaced.settled(lane, id);
        settle(lane, id);
        ease(lane.whole(), trouble -> trouble.withFailure("", 0, 0));
    }

    /** Notes that a message was settled without its handler, so that failures in a row go on being counted. */
    void skipped(Lane lane, MessageId id) {
        if (isEmpty()) {
            return;
        }
        unplaced.settled(lane, id);
        settle(lane, id);
    }

    /** Notes that a message is settled. Nothing comes after the only message of a lane. */
    private void settle(Lane lane, MessageId id) {
        ease(lane, trouble -> lane.isAlone() ? Trouble.NONE : trouble.settled(id));
    }

    /** Notes that a chunk of the lane is settled, so that the next one may be twice as large, up to the most given. */
    void grow(Lane lane, int most) {
        ease(
                lane,
                trouble ->
                        trouble.withLimit(trouble.limit() >= (most + 1) / 2 ? Integer.MAX_VALUE : trouble.limit() * 2));
    }

    private void ease(Lane lane, UnaryOperator<Trouble> change) {
        if (!troubles.isEmpty()) {
            troubles.computeIfPresent(lane, (key, trouble) -> {
                Trouble less = changed(trouble, change);
                return less.equals(Trouble.NONE) ? null : less;
            });
        }
    }

    private Trouble change(Lane lane, UnaryOperator<Trouble> change) {
        return Objects.requireNonNull(
                troubles.compute(lane, (key, trouble) -> changed(trouble == null ? Trouble.NONE : trouble, change)));
    }

    private Trouble changed(Trouble before, UnaryOperator<Trouble> change) {
        Trouble after = change.apply(before);
        keptBytes.addAndGet(after.keptBytes() - before.keptBytes());
        return after;
    }
}

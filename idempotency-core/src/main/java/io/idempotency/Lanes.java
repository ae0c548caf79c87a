package io.idempotency;

import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of partitions in trouble between polls: the failing message and its attempts, transient failures in a
 * row, the chunk limit, and messages quarantined in a row for the same failure. A partition without trouble takes no room.
 * Thread-safe.
 *
 * <p>A partition comes again from its first unsettled message on, so one of its messages fails at a time. Messages without a position
 * come in any order: of them, the {@value #MOST_FAILING} that failed last are remembered.
 */
final class Lanes {

    private static final int MOST_FAILING = 1_000;

    private final ConcurrentMap<Lane, Trouble> troubles = new ConcurrentHashMap<>();

    private record Failing(int attempts, @Nullable Payload payload) {}

    private record Trouble(
            Map<MessageId, Failing> failing, int transients, int limit, String failure, int failuresInARow) {

        static final Trouble NONE = new Trouble(Map.of(), 0, Integer.MAX_VALUE, "", 0);

        Trouble failing(MessageId id, Failing now, int most) {
            Map<MessageId, Failing> changed = new LinkedHashMap<>(failing);
            changed.remove(id);
            while (changed.size() >= most) {
                changed.remove(changed.keySet().iterator().next());
            }
            changed.put(id, now);
            return withFailing(changed);
        }

        Trouble settled(MessageId id) {
            if (!failing.containsKey(id)) {
                return this;
            }
            Map<MessageId, Failing> left = new LinkedHashMap<>(failing);
            left.remove(id);
            return withFailing(left);
        }

        private Trouble withFailing(Map<MessageId, Failing> now) {
            return new Trouble(Collections.unmodifiableMap(now), transients, limit, failure, failuresInARow);
        }

        Trouble withTransients(int count, int newLimit) {
            return new Trouble(failing, count, newLimit, failure, failuresInARow);
        }

        Trouble withFailure(String signature, int inARow) {
            return new Trouble(failing, transients, limit, signature, inARow);
        }
    }

    /** Returns whether no partition is in trouble. */
    boolean isEmpty() {
        return troubles.isEmpty();
    }

    /** Forgets a lane: its messages come to somebody else. */
    void forget(Lane lane) {
        troubles.remove(lane);
    }

    private Trouble of(Lane lane) {
        return troubles.getOrDefault(lane, Trouble.NONE);
    }

    /** Returns whether this very message failed alone before and is not settled yet. */
    boolean hasFailed(Lane lane, MessageId id) {
        return !troubles.isEmpty() && of(lane).failing().containsKey(id);
    }

    /** Returns how many messages of the lane may share a transaction. */
    int limit(Lane lane, int most) {
        return troubles.isEmpty() ? most : Math.min(most, of(lane).limit());
    }

    /** Returns whether less than usual of the lane may share a transaction, after a transient failure or one that took too long. */
    boolean isLimited(Lane lane) {
        return !troubles.isEmpty() && of(lane).limit() < Integer.MAX_VALUE;
    }

    /** Returns how often the message failed alone. */
    int attempts(Lane lane, MessageId id) {
        Failing failing = of(lane).failing().get(id);
        return failing == null ? 0 : failing.attempts();
    }

    /** Counts a failure of a message alone. Returns how many there have been. */
    int countFailure(Lane lane, MessageId id) {
        Trouble changed = change(lane, trouble -> {
            Failing before = trouble.failing().getOrDefault(id, new Failing(0, null));
            return trouble.failing(
                    id, new Failing(before.attempts() + 1, before.payload()), lane.isOrdered() ? 1 : MOST_FAILING);
        });
        return Objects.requireNonNull(changed.failing().get(id)).attempts();
    }

    /** Returns the bytes of a message that fails, read at its first failure where they may be gone later. */
    Payload payload(Lane lane, MessageId id, Supplier<Payload> reader) {
        if (!lane.isOrdered()) {
            return reader.get();
        }
        Failing failing = of(lane).failing().get(id);
        if (failing != null && failing.payload() != null) {
            return failing.payload();
        }
        Payload read = reader.get();
        change(lane, trouble -> {
            Failing now = trouble.failing().get(id);
            return now == null ? trouble : trouble.failing(id, new Failing(now.attempts(), read), 1);
        });
        return read;
    }

    /** Notes a transient failure of a chunk: the next one is half as large. Returns how long to wait. */
    Duration transientFailure(Lane lane, int chunk) {
        int inARow = change(
                        lane,
                        trouble -> trouble.withTransients(
                                trouble.transients() + 1, Math.min(trouble.limit(), Math.max(1, chunk / 2))))
                .transients();
        return BackOff.afterTransients(inARow);
    }

    /** Notes that somebody else holds a message of the lane. Returns how long to wait. */
    Duration waitForOther(Lane lane) {
        int inARow = change(lane, trouble -> trouble.withTransients(trouble.transients() + 1, trouble.limit()))
                .transients();
        return BackOff.afterTransients(inARow);
    }

    /** Notes that a chunk took too long after so many messages. */
    void outOfTime(Lane lane, int handled) {
        change(lane, trouble -> trouble.withTransients(trouble.transients(), Math.max(1, handled / 2)));
    }

    /**
     * Returns how many other messages in a row were quarantined for the same failure, the one given not counted.
     */
    int quarantinedInARow(Lane lane, String failure) {
        Trouble trouble = of(lane);
        return trouble.failure().equals(failure) ? trouble.failuresInARow() : 0;
    }

    /** Notes that a failing message of the lane is in quarantine. */
    void quarantined(Lane lane, MessageId id, String failure) {
        change(
                lane,
                trouble -> trouble.settled(id)
                        .withFailure(failure, trouble.failure().equals(failure) ? trouble.failuresInARow() + 1 : 1));
    }

    /** Notes that a message was processed: nothing fails in a row any more. */
    void processed(Lane lane, MessageId id) {
        ease(
                lane,
                trouble ->
                        trouble.settled(id).withTransients(0, trouble.limit()).withFailure("", 0));
    }

    /** Notes that a message was settled without its handler, which tells nothing about what the next handler does. */
    void skipped(Lane lane, MessageId id) {
        ease(lane, trouble -> trouble.settled(id).withTransients(0, trouble.limit()));
    }

    /** Notes that a chunk of the lane is settled, so that the next one may be twice as large, up to the most given. */
    void grow(Lane lane, int most) {
        ease(
                lane,
                trouble -> trouble.withTransients(
                        trouble.transients(),
                        trouble.limit() >= (most + 1) / 2 ? Integer.MAX_VALUE : trouble.limit() * 2));
    }

    private void ease(Lane lane, UnaryOperator<Trouble> change) {
        if (!troubles.isEmpty()) {
            troubles.computeIfPresent(lane, (key, trouble) -> {
                Trouble less = change.apply(trouble);
                return less.equals(Trouble.NONE) ? null : less;
            });
        }
    }

    private Trouble change(Lane lane, UnaryOperator<Trouble> change) {
        Trouble changed =
                troubles.compute(lane, (key, trouble) -> change.apply(trouble == null ? Trouble.NONE : trouble));
        return Objects.requireNonNull(changed);
    }
}

package io.idempotency;

import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import java.time.Duration;
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
 */
final class Lanes {

    private final ConcurrentMap<Lane, Trouble> troubles = new ConcurrentHashMap<>();

    private record Failing(
            MessageId id, int attempts, @Nullable Payload payload) {}

    private record Trouble(@Nullable Failing failing, int transients, int limit, String failure, int failuresInARow) {

        static final Trouble NONE = new Trouble(null, 0, Integer.MAX_VALUE, "", 0);

        boolean isFailing(MessageId id) {
            return failing != null && failing.id().equals(id);
        }

        Trouble withFailing(@Nullable Failing now) {
            return new Trouble(now, transients, limit, failure, failuresInARow);
        }

        Trouble withTransients(int count, int newLimit) {
            return new Trouble(failing, count, newLimit, failure, failuresInARow);
        }

        Trouble withFailure(String signature, int inARow) {
            return new Trouble(failing, transients, limit, signature, inARow);
        }
    }

    private Trouble of(Lane lane) {
        return troubles.getOrDefault(lane, Trouble.NONE);
    }

    /** Returns whether this very message failed alone before and is not settled yet. */
    boolean hasFailed(Lane lane, MessageId id) {
        return !troubles.isEmpty() && of(lane).isFailing(id);
    }

    /** Returns how many messages of the lane may share a transaction. */
    int limit(Lane lane, int most) {
        return troubles.isEmpty() ? most : Math.min(most, of(lane).limit());
    }

    /** Counts a failure of a message alone. Returns how many there have been. */
    int countFailure(Lane lane, MessageId id) {
        Trouble changed = change(lane, trouble -> {
            Failing before = trouble.failing();
            return before != null && before.id().equals(id)
                    ? trouble.withFailing(new Failing(id, before.attempts() + 1, before.payload()))
                    : trouble.withFailing(new Failing(id, 1, null));
        });
        return changed.failing() == null ? 0 : changed.failing().attempts();
    }

    /** Returns the bytes of the failing message of the lane, read at its first failure. */
    Payload payload(Lane lane, Supplier<Payload> reader) {
        Failing failing = of(lane).failing();
        Payload known = failing == null ? null : failing.payload();
        if (known != null) {
            return known;
        }
        Payload read = reader.get();
        change(lane, trouble -> {
            Failing now = trouble.failing();
            return now == null ? trouble : trouble.withFailing(new Failing(now.id(), now.attempts(), read));
        });
        return read;
    }

    /** Notes a transient failure of a chunk: the next one is half as large. Returns how long to wait. */
    Duration transientFailure(Lane lane, int chunk) {
        int inARow = change(lane, trouble -> trouble.withTransients(trouble.transients() + 1, Math.max(1, chunk / 2)))
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

    /** Notes that the failing message of the lane is in quarantine. */
    void quarantined(Lane lane, String failure) {
        change(
                lane,
                trouble -> trouble.withFailing(null)
                        .withFailure(failure, trouble.failure().equals(failure) ? trouble.failuresInARow() + 1 : 1));
    }

    /** Notes that a message was processed: nothing failed in a row, and the chunk may grow again, up to the most given. */
    void processed(Lane lane, MessageId id, int most) {
        if (troubles.isEmpty()) {
            return;
        }
        troubles.computeIfPresent(lane, (key, trouble) -> {
            int limit = trouble.limit() >= most ? Integer.MAX_VALUE : trouble.limit();
            Trouble less = trouble.withTransients(0, limit)
                    .withFailing(trouble.isFailing(id) ? null : trouble.failing())
                    .withFailure("", 0);
            return less.equals(Trouble.NONE) ? null : less;
        });
    }

    /** Notes that a chunk of the lane was committed, so that the next one may be twice as large, up to the most given. */
    void grow(Lane lane, int most) {
        if (troubles.isEmpty()) {
            return;
        }
        troubles.computeIfPresent(lane, (key, trouble) -> {
            int limit = trouble.limit() >= (most + 1) / 2 ? Integer.MAX_VALUE : trouble.limit() * 2;
            Trouble less = trouble.withTransients(trouble.transients(), limit);
            return less.equals(Trouble.NONE) ? null : less;
        });
    }

    private Trouble change(Lane lane, UnaryOperator<Trouble> change) {
        Trouble changed =
                troubles.compute(lane, (key, trouble) -> change.apply(trouble == null ? Trouble.NONE : trouble));
        return Objects.requireNonNull(changed);
    }
}

package io.idempotency;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.InvalidMessageIdException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Retries with exponential back-off, then quarantines. Made by {@link FailurePolicy#quarantineAfter}. Immutable. */
public final class RetryPolicy implements FailurePolicy {

    /** How often a message is tried before it is quarantined. */
    public static final int DEFAULT_ATTEMPTS = 10;

    /** The first back-off. */
    public static final Duration DEFAULT_BACK_OFF = Duration.ofMillis(100);

    /** The longest back-off. */
    public static final Duration DEFAULT_MAX_BACK_OFF = Duration.ofSeconds(30);

    private final int attempts;
    private final Duration first;
    private final Duration max;
    private final List<Class<? extends Throwable>> fatal;

    private RetryPolicy(int attempts, Duration first, Duration max, List<Class<? extends Throwable>> fatal) {
        if (attempts < 1) {
            throw new IdempotencyException("A message is tried at least once, not " + attempts + " times");
        }
        if (first.isNegative() || max.compareTo(first) < 0) {
            throw new IdempotencyException(
                    "The back-off must grow from a first one to a longer one, not from " + first + " to " + max);
        }
        this.attempts = attempts;
        this.first = first;
        this.max = max;
        this.fatal = List.copyOf(fatal);
    }

    static RetryPolicy of(int attempts) {
        return new RetryPolicy(
                attempts,
                DEFAULT_BACK_OFF,
                DEFAULT_MAX_BACK_OFF,
                List.of(InvalidMessageIdException.class, InvalidExpiryException.class));
    }

    /** Returns this policy with another back-off: the first one, doubled at each attempt up to the longest. */
    public RetryPolicy backOff(Duration firstBackOff, Duration maxBackOff) {
        return new RetryPolicy(attempts, firstBackOff, maxBackOff, fatal);
    }

    /** Returns this policy with one more exception that quarantines at once, anywhere in the chain of causes. */
    public RetryPolicy quarantineOn(Class<? extends Throwable> type) {
        List<Class<? extends Throwable>> more = new ArrayList<>(fatal);
        more.add(type);
        return new RetryPolicy(attempts, first, max, more);
    }

    @Override
    public Decision decide(Failure failure) {
        if (failure.attempt() >= attempts || isFatal(failure.cause())) {
            return Decision.quarantine();
        }
        return Decision.retryAfter(BackOff.doubling(first, max, failure.attempt()));
    }

    private boolean isFatal(Throwable failure) {
        for (Throwable cause : Causes.of(failure)) {
            if (fatal.stream().anyMatch(type -> type.isInstance(cause))) {
                return true;
            }
        }
        return false;
    }
}

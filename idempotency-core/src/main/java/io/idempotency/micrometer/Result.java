package io.idempotency.micrometer;

import io.idempotency.BehindQuarantineException;
import io.idempotency.Consumption;
import java.util.List;

/** The result of a consumption, as the tag {@code outcome} has it. */
enum Result {
    PROCESSED,
    DUPLICATE,
    FAILED,
    QUARANTINED,
    /** A redelivery of a message that is in quarantine already. It is no news, and no alert should be raised for it. */
    QUARANTINED_BEFORE,
    /** A message behind an earlier one of its key. The alert is raised for that one. */
    QUARANTINED_BEHIND,
    EXPIRED,
    IN_PROGRESS,
    RELEASED,
    WOULD_SKIP,
    WOULD_EXPIRE,
    WOULD_REFUSE;

    /** What a consumer can come to. */
    static List<Result> of(boolean isShadow) {
        return isShadow
                ? List.of(PROCESSED, WOULD_SKIP, WOULD_EXPIRE, WOULD_REFUSE)
                : List.of(
                        PROCESSED,
                        DUPLICATE,
                        FAILED,
                        QUARANTINED,
                        QUARANTINED_BEFORE,
                        QUARANTINED_BEHIND,
                        EXPIRED,
                        IN_PROGRESS);
    }

    static Result of(Consumption consumption) {
        return switch (consumption.outcome()) {
            case PROCESSED -> PROCESSED;
            case DUPLICATE -> DUPLICATE;
            case QUARANTINED -> quarantined(consumption);
            case EXPIRED -> EXPIRED;
            case WOULD_SKIP -> WOULD_SKIP;
            case WOULD_EXPIRE -> WOULD_EXPIRE;
            case WOULD_REFUSE -> WOULD_REFUSE;
            case RELEASED -> consumption.failure().isPresent() ? FAILED : RELEASED;
            case IN_PROGRESS -> IN_PROGRESS;
        };
    }

    private static Result quarantined(Consumption consumption) {
        return consumption
                .failure()
                .map(why -> why instanceof BehindQuarantineException ? QUARANTINED_BEHIND : QUARANTINED)
                .orElse(QUARANTINED_BEFORE);
    }
}

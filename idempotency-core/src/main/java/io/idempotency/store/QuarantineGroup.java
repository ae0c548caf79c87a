package io.idempotency.store;

import java.time.Instant;
import java.util.List;

/**
 * The quarantined messages with one {@link QuarantineFailure#group()}.
 *
 * @param group the group
 * @param messages how many there are
 * @param failureTypes the classes of their exceptions, the most frequent first
 * @param oldest when the oldest one was quarantined first, by the store's clock
 * @param newest when the newest one was quarantined first
 * @param hours how many of them were quarantined first in each of the last 24 hours, the oldest hour first
 */
public record QuarantineGroup(
        String group, long messages, List<String> failureTypes, Instant oldest, Instant newest, List<Long> hours) {

    /** So many hours are counted. */
    public static final int HOURS = 24;

    /** Returns how many messages were quarantined in the last hour. */
    public long lastHour() {
        return hours.get(HOURS - 1);
    }

    /** Returns how many messages were quarantined in the last day. */
    public long lastDay() {
        return hours.stream().mapToLong(Long::longValue).sum();
    }
}

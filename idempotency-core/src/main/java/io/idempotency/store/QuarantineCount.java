package io.idempotency.store;

import java.time.Instant;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Counts of quarantined messages.
 *
 * @param messages how many there are
 * @param byFailureType how many there are of each exception class, the most frequent first
 * @param byFailureGroup how many there are of each {@link QuarantineFailure#group()}, the most frequent first
 * @param oldest when the oldest one was quarantined first, by the store's clock
 */
public record QuarantineCount(
        long messages, Map<String, Long> byFailureType, Map<String, Long> byFailureGroup, Optional<Instant> oldest) {

    /** Sorts the counts by frequency. */
    public QuarantineCount {
        byFailureType = sorted(byFailureType);
        byFailureGroup = sorted(byFailureGroup);
    }

    /** Returns the counts in order, the greatest first; equal ones by name. */
    public static Map<String, Long> sorted(Map<String, Long> counts) {
        Map<String, Long> sorted = new LinkedHashMap<>();
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .forEach(each -> sorted.put(each.getKey(), each.getValue()));
        return Collections.unmodifiableMap(sorted);
    }
}

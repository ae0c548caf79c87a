package io.idempotency.store;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Adds up counts of quarantined messages to groups, for quarantines that count them by type and hour. Not thread-safe. */
public final class QuarantineGroups {

    private final Map<String, Sum> sums = new HashMap<>();

    private static final class Sum {

        private final Map<String, Long> types = new HashMap<>();
        private final List<Long> hours = new ArrayList<>(Collections.nCopies(QuarantineGroup.HOURS, 0L));
        private long messages;
        private Instant oldest = Instant.MAX;
        private Instant newest = Instant.MIN;
    }

    /**
     * Adds messages of one group and type from one hour.
     *
     * @param hoursAgo how many full hours ago they were quarantined first; 24 for all that are older
     * @param oldest when the first one of them was
     * @param newest when the last one of them was
     */
    public void add(QuarantineFailure failure, int hoursAgo, long messages, Instant oldest, Instant newest) {
        Sum sum = sums.computeIfAbsent(failure.group(), group -> new Sum());
        sum.messages += messages;
        sum.types.merge(failure.type(), messages, Long::sum);
        sum.oldest = oldest.isBefore(sum.oldest) ? oldest : sum.oldest;
        sum.newest = newest.isAfter(sum.newest) ? newest : sum.newest;
        int hour = QuarantineGroup.HOURS - 1 - Math.max(0, hoursAgo);
        if (hour >= 0) {
            sum.hours.set(hour, sum.hours.get(hour) + messages);
        }
    }

    /** Returns up to {@code limit} groups, those with the most messages first; equal ones by name. */
    public List<QuarantineGroup> greatest(int limit) {
        return sums.entrySet().stream()
                .map(each -> group(each.getKey(), each.getValue()))
                .sorted(Comparator.comparing(QuarantineGroup::messages, Comparator.reverseOrder())
                        .thenComparing(QuarantineGroup::group))
                .limit(limit)
                .toList();
    }

    private static QuarantineGroup group(String name, Sum sum) {
        return new QuarantineGroup(
                name,
                sum.messages,
                List.copyOf(QuarantineCount.sorted(sum.types).keySet()),
                sum.oldest,
                sum.newest,
                List.copyOf(sum.hours));
    }
}

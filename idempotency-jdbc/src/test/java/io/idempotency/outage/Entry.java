package io.idempotency.outage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A message as it was sent, or its effect: both are compared entry by entry. */
record Entry(int partition, long offset, String id) {

    /** Asserts that each message that was sent has its effect, once, in the order of its partition, and that there are no others. */
    static void assertSame(List<Entry> effects, List<Entry> sent) {
        assertThat(byPartition(effects)).isEqualTo(byPartition(sent));
    }

    private static Map<Integer, List<Entry>> byPartition(List<Entry> entries) {
        return entries.stream().collect(Collectors.groupingBy(Entry::partition, TreeMap::new, Collectors.toList()));
    }
}

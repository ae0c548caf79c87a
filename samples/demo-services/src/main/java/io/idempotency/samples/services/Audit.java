package io.idempotency.samples.services;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares the expected postings of one consumer with the actual ones, entry by entry.
 *
 * @param expected the number of expected postings
 * @param found the number of postings
 * @param lost expected entries without an equal posting
 * @param doubled postings without an entry of their own: a second one, one with another amount, one that nobody ordered; each as often as
 *     it occurs
 */
record Audit(int expected, int found, List<Entry> lost, List<Entry> doubled) {

    Audit {
        lost = List.copyOf(lost);
        doubled = List.copyOf(doubled);
    }

    static Audit compare(Collection<Entry> expected, Collection<Entry> posted) {
        Map<Entry, Integer> open = new HashMap<>();
        expected.forEach(entry -> open.merge(entry, 1, Integer::sum));
        List<Entry> doubled = new ArrayList<>();
        for (Entry posting : posted) {
            if (open.merge(posting, -1, Integer::sum) < 0) {
                doubled.add(posting);
            }
        }
        List<Entry> lost = new ArrayList<>();
        open.forEach((entry, missing) -> {
            for (int i = 0; i < missing; i++) {
                lost.add(entry);
            }
        });
        return new Audit(expected.size(), posted.size(), lost, doubled);
    }
}

package io.idempotency.streams;

import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What one process remembers of an id.
 *
 * @param id the id, with the name of the deduplication
 * @param remembered the first record, for each partition that remembers the id. More than one partition may, unless copies are found across partitions
 * @param asked the partitions of the store that answered
 * @param failed the partitions of this process that did not answer, with the reason
 */
public record Explained(MessageId id, Map<Integer, First> remembered, Set<Integer> asked, Map<Integer, String> failed) {

    /** Copies the collections. */
    public Explained {
        remembered = Map.copyOf(remembered);
        asked = Set.copyOf(asked);
        failed = Map.copyOf(failed);
    }

    /**
     * The first record of an id.
     *
     * @param position where it was
     * @param at when it came, by the clock of the machine
     * @param streamTime the stream time when it came
     * @param until when the id is forgotten at the earliest: later if the stream time falls behind
     */
    public record First(Position position, Instant at, Instant streamTime, Instant until) {}

    /** Returns the answer in one sentence, for a person. */
    public String sentence() {
        String subject = "Message " + id.value() + " of " + id.consumer();
        String of = " (partitions asked here: " + asked.stream().sorted().toList()
                + (failed.isEmpty() ? "" : "; no answer: " + failed) + ")";
        if (asked.isEmpty()) {
            return subject + " may be remembered elsewhere: this process has no partition that answers now" + of + ".";
        }
        if (remembered.isEmpty()) {
            return subject + " is not remembered: it never came, or was forgotten, or belongs to another partition" + of
                    + ".";
        }
        return remembered.values().stream()
                .map(first -> "was forwarded at " + first.at() + " from " + first.position()
                        + "; copies of it are dropped until " + first.until())
                .collect(Collectors.joining(", and ", subject + " ", of + "."));
    }
}

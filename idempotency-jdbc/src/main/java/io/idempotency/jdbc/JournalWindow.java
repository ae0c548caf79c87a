package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalGeneration.Entry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What a process knows of a journal: committed segments without a gap, from the horizon up to its tip. Nothing gets in that is not committed, so a
 * window is never wrong, only behind; an append that finds it behind says so. Shared by the threads of a store. Thread-safe.
 */
final class JournalWindow {

    private static final int GENERATIONS_PER_RETENTION = 4;
    /** The part of the only generation that is forgotten at once. */
    private static final int PART = 4;

    private final JournalPlace place;
    private final JournalKey key;
    private final long generationMicros;
    private final AtomicLong sum;
    private final Deque<JournalGeneration> generations = new ArrayDeque<>();
    private JournalTip tip;
    private long horizonVersion;
    private long horizonOffset;
    private long usedNanos = System.nanoTime();
    private long checkedNanos = System.nanoTime();
    private long counted;
    private boolean isLeft;
    private boolean isDropped;

    /**
     * Creates an empty window that stands at the horizon of a journal.
     *
     * @param retentionMicros how long messages are to be remembered, which sets how finely they are forgotten
     * @param sum the bytes of all windows, to which this one adds its own until it is dropped
     */
    JournalWindow(JournalPlace place, JournalHead head, long retentionMicros, AtomicLong sum) {
        this.sum = sum;
        this.place = place;
        this.key = head.key();
        this.tip = head.horizonVersion() == head.version() ? head.tip() : new JournalTip(head.horizonVersion(), 0);
        this.horizonVersion = head.horizonVersion();
        this.horizonOffset = head.horizonOffset();
        this.generationMicros = Math.max(1, retentionMicros / GENERATIONS_PER_RETENTION);
    }

    JournalPlace place() {
        return place;
    }

    JournalKey key() {
        return key;
    }

    synchronized JournalTip tip() {
        return tip;
    }

    synchronized long horizonOffset() {
        return horizonOffset;
    }

    /** Returns what is known of each id: its newest entry, unless that is behind the horizon. */
    synchronized @Nullable Entry[] find(Ids ids) {
        @Nullable Entry[] entries = new Entry[ids.size()];
        int missing = entries.length;
        for (Iterator<JournalGeneration> each = generations.descendingIterator(); missing > 0 && each.hasNext(); ) {
            missing -= each.next().find(ids, entries);
        }
        for (int i = 0; i < entries.length; i++) {
            Entry entry = entries[i];
            entries[i] = entry == null || entry.version() <= horizonVersion ? null : entry;
        }
        return entries;
    }

    /** Adds committed segments, if the window stands where they begin; otherwise somebody has added them, or will. */
    synchronized void add(JournalTip from, List<JournalSegment> segments) {
        if (tip.equals(from)) {
            segments.forEach(this::add);
            // Soon behind the claim, which has looked at the same slots.
            index();
            count();
        }
    }

    /** Adds the segment behind the tip. */
    synchronized void add(JournalSegment segment) {
        if (segment.tip().version() != tip.version() + 1) {
            throw new IllegalStateException("Segment " + segment.tip().version() + " does not follow " + tip.version());
        }
        JournalGeneration last = generations.peekLast();
        if (last == null || !last.hasRoomFor(segment) || Math.abs(segment.at() - last.begin()) > generationMicros) {
            last = new JournalGeneration();
            generations.addLast(last);
        }
        last.add(segment);
        tip = segment.tip();
    }

    /** Gets ready to find what was added, which otherwise the next claim would wait for. */
    synchronized void index() {
        generations.forEach(JournalGeneration::index);
    }

    /** Forgets what the purge deleted; its memory is freed a generation at a time. */
    synchronized void raiseHorizon(long version, long offset) {
        horizonVersion = Math.max(horizonVersion, version);
        horizonOffset = Math.max(horizonOffset, offset);
        while (!generations.isEmpty() && generations.getFirst().lastVersion() <= version) {
            generations.removeFirst();
        }
        count();
    }

    /** Returns the time of the oldest message; none if there are no messages. */
    synchronized long oldest() {
        return generations.isEmpty() ? Long.MAX_VALUE : generations.getFirst().begin();
    }

    /**
     * Forgets the oldest messages, whatever the purge did: a generation, or a part of the only one, so that what was handled last is forgotten last. Returns
     * how many messages these were.
     */
    synchronized int forgetOldest() {
        JournalGeneration oldest = generations.pollFirst();
        if (oldest == null) {
            return 0;
        }
        int part = generations.isEmpty() && oldest.segments() > 1
                ? Math.max(1, oldest.segments() / PART)
                : oldest.segments();
        int forgotten = oldest.size();
        horizonOffset = Math.max(horizonOffset, oldest.lastOffset(part));
        if (part < oldest.segments()) {
            JournalGeneration rest = oldest.without(part);
            generations.addFirst(rest);
            forgotten -= rest.size();
        }
        if (!generations.isEmpty()) {
            // In between may stand copies that were skipped, and left no entry.
            horizonOffset = Math.max(horizonOffset, generations.getFirst().firstOffset() - 1);
        }
        count();
        return forgotten;
    }

    synchronized long bytes() {
        return counted;
    }

    /** Lets the sum of all windows know what this one takes. */
    synchronized void count() {
        long bytes = isDropped
                ? 0
                : generations.stream().mapToLong(JournalGeneration::bytes).sum();
        sum.addAndGet(bytes - counted);
        counted = bytes;
    }

    /** Counts no more: somebody may still look at it, but nobody will find it. */
    synchronized void dropped() {
        isDropped = true;
        count();
    }

    synchronized long size() {
        return generations.stream().mapToLong(JournalGeneration::size).sum();
    }

    synchronized void used() {
        usedNanos = System.nanoTime();
        isLeft = false;
    }

    /** Says that its partition is somebody else's now, until it is used again. */
    synchronized void left() {
        isLeft = true;
    }

    /** Returns whether its partition was left, or no claim has come to it since then. */
    synchronized boolean isIdle(long sinceNanos) {
        return isLeft || usedNanos - sinceNanos < 0;
    }

    synchronized long usedNanos() {
        return usedNanos;
    }

    synchronized void checked() {
        checkedNanos = System.nanoTime();
    }

    synchronized long checkedNanos() {
        return checkedNanos;
    }

    @Override
    public String toString() {
        return place.toString();
    }
}

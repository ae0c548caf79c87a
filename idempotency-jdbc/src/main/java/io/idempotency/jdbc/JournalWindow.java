package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalGeneration.Entry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The part of a journal that a process has in memory: committed segments without a gap, from the horizon to a tip. The older ones may be in archives, of which
 * it has the filters only. Only committed segments enter, so a window can be behind, but never wrong; the next append notices that. Nor is it wrong if archives were
 * merged or purged since it read their list; the look-up of a page notices that. Shared by the threads of a store. Thread-safe.
 */
final class JournalWindow {

    private static final int GENERATIONS_PER_RETENTION = 4;
    /** The part of a single generation that is forgotten at once. */
    private static final int PART = 4;

    private final JournalPlace place;
    private final JournalKey key;
    private final long generationMicros;
    private final int generationMessages;
    private final AtomicLong sum;
    private final Deque<JournalGeneration> generations = new ArrayDeque<>();
    private final JournalUse use = new JournalUse();
    private ArchiveList archives = ArchiveList.NONE;
    private JournalTip tip;
    private long archivedVersion;
    /** Archives up to here were forgotten to make room. */
    private long forgottenVersion;

    private long horizonVersion;
    private long horizonOffset;
    private long counted;
    private boolean isDropped;

    /**
     * Creates an empty window at the horizon of a journal.
     *
     * @param retentionMicros the retention; a generation is a part of it
     * @param generationMessages after how many messages another generation begins; a window drops those that are archived
     * @param sum the bytes of all windows, to which this one adds its own until it is dropped
     */
    JournalWindow(JournalPlace place, JournalHead head, long retentionMicros, int generationMessages, AtomicLong sum) {
        this.sum = sum;
        this.place = place;
        this.key = head.key();
        this.generationMessages = generationMessages;
        this.tip = head.goneVersion() == head.version() ? head.tip() : new JournalTip(head.goneVersion(), 0);
        this.archivedVersion = head.archivedVersion();
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

    /** Returns what it knows of ids. Takes nothing of the database. */
    synchronized JournalKnowledge find(Ids ids) {
        @Nullable Entry[] entries = new Entry[ids.size()];
        int missing = entries.length;
        for (Iterator<JournalGeneration> each = generations.descendingIterator(); missing > 0 && each.hasNext(); ) {
            missing -= each.next().find(ids, entries);
        }
        for (int i = 0; i < entries.length; i++) {
            Entry entry = entries[i];
            entries[i] = entry == null || entry.version() <= horizonVersion ? null : entry;
        }
        return new JournalKnowledge(tip, horizonOffset, entries, archives.questions(ids, entries, horizonVersion));
    }

    /** Adds committed segments if they begin at the tip. Otherwise somebody has added them, or will. */
    synchronized void add(JournalTip from, List<JournalSegment> segments) {
        if (tip.equals(from)) {
            segments.forEach(this::add);
            // Soon after the claim, which has read the same slots.
            index();
            count();
        }
    }

    /** Adds the segment after the tip. */
    synchronized void add(JournalSegment segment) {
        if (segment.tip().version() != tip.version() + 1) {
            throw new IllegalStateException("Segment " + segment.tip().version() + " does not follow " + tip.version());
        }
        JournalGeneration last = generations.peekLast();
        if (last == null
                || !last.hasRoomFor(segment)
                || last.size() >= generationMessages
                || Math.abs(segment.at() - last.begin()) > generationMicros) {
            last = new JournalGeneration();
            generations.addLast(last);
        }
        last.add(segment);
        tip = segment.tip();
    }

    /** Notes that it was read up to the head. */
    synchronized void completed() {
        if (forgottenVersion > 0) {
            raiseHorizonToTheRest();
        }
        index();
        count();
    }

    /** Indexes the added messages now, so that the next claim need not. */
    synchronized void index() {
        generations.forEach(JournalGeneration::index);
    }

    /** Forgets the segments that the purge deleted. Memory is freed by generations. */
    synchronized void raiseHorizon(long version, long offset) {
        horizonVersion = Math.max(horizonVersion, version);
        horizonOffset = Math.max(horizonOffset, offset);
        archives = archives.after(version);
        dropGenerations(version);
        count();
    }

    private void dropGenerations(long version) {
        while (!generations.isEmpty() && generations.getFirst().lastVersion() <= version) {
            generations.removeFirst();
        }
    }

    synchronized ArchiveList archives() {
        return archives;
    }

    /** Adds an archive behind the others, while the window is being read. */
    synchronized void add(ArchiveFilters archive) {
        archives = archives.with(archive);
        if (forgottenVersion > 0) {
            raiseHorizonToTheRest();
        }
        count();
    }

    /**
     * Takes over a list of archives, and drops the generations that they replace. The window says the same as before. Returns false, and changes nothing, if the list is
     * older than the window or the database has lost commits; if the window ends before what is archived; or if messages were purged since, of which some may have been
     * carried to a tip that the window does not know.
     *
     * @param head read before the list
     */
    synchronized boolean learn(ArchiveList list, JournalHead head) {
        long horizon = Math.max(horizonVersion, head.horizonVersion());
        boolean isNewer = head.archivedVersion() >= archivedVersion && list.isNotOlderThan(archives, horizon);
        if (!isNewer
                || tip.version() < head.archivedVersion()
                || (head.horizonVersion() > horizonVersion && !head.isAt(tip))) {
            return false;
        }
        archives = list.after(Math.max(horizon, forgottenVersion));
        archivedVersion = head.archivedVersion();
        dropGenerations(archivedVersion);
        raiseHorizon(head.horizonVersion(), head.horizonOffset());
        return true;
    }

    /** Returns the time of the oldest message; {@link Long#MAX_VALUE} if there is none. */
    synchronized long oldest() {
        if (!archives.all().isEmpty()) {
            return archives.all().get(0).head().span().firstAt();
        }
        return generations.isEmpty() ? Long.MAX_VALUE : generations.getFirst().begin();
    }

    /**
     * Forgets the oldest messages, whatever the purge did: an archive, a generation, or a part of a single one, so that the last handled messages go last.
     * Returns how many messages it forgot.
     */
    synchronized long forgetOldest() {
        if (!archives.all().isEmpty()) {
            return forgetOldestArchive();
        }
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
            // Offsets in between may be skipped copies, which left no entry.
            horizonOffset = Math.max(horizonOffset, firstOffset(horizonOffset) - 1);
        }
        count();
        return forgotten;
    }

    private long forgetOldestArchive() {
        ArchiveHead oldest = archives.all().get(0).head();
        forget(oldest);
        return oldest.messages();
    }

    /** Forgets an archive and what is older. */
    synchronized void forget(ArchiveHead archive) {
        forgottenVersion = archive.span().lastVersion();
        archives = archives.after(forgottenVersion);
        horizonOffset = Math.max(horizonOffset, archive.span().lastOffset());
        raiseHorizonToTheRest();
        count();
    }

    /** Offsets between what was forgotten and what follows it may be skipped copies, which left no entry. */
    private void raiseHorizonToTheRest() {
        long front = archives.frontOffset();
        horizonOffset = Math.max(horizonOffset, (front >= 0 ? front : firstOffset(horizonOffset)) - 1);
    }

    /** Returns where the messages behind an offset begin. Those of replays have older offsets. */
    private long firstOffset(long behind) {
        return generations.stream()
                .mapToLong(generation -> generation.firstOffset(behind))
                .filter(offset -> offset > behind)
                .findFirst()
                .orElse(0);
    }

    synchronized long bytes() {
        return counted;
    }

    /** Updates the sum of all windows by the bytes of this one. */
    synchronized void count() {
        long bytes = isDropped
                ? 0
                : archives.bytes()
                        + generations.stream()
                                .mapToLong(JournalGeneration::bytes)
                                .sum();
        sum.addAndGet(bytes - counted);
        counted = bytes;
    }

    /** Removes its bytes from the sum. Somebody may still use the window, but nobody will find it again. */
    synchronized void dropped() {
        isDropped = true;
        count();
    }

    synchronized long size() {
        return archives.messages()
                + generations.stream()
                        .mapToLong(generation -> generation.sizeAfter(archivedVersion))
                        .sum();
    }

    /** Returns when and how its partition was used. */
    JournalUse use() {
        return use;
    }

    @Override
    public String toString() {
        return place.toString();
    }
}

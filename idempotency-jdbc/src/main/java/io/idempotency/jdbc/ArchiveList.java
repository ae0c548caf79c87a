package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalGeneration.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The archives of a journal that a window knows, oldest first. Immutable. */
record ArchiveList(List<ArchiveFilters> all) {

    static final ArchiveList NONE = new ArchiveList(List.of());

    /**
     * A message that an archive may have.
     *
     * @param index of its id among those that were sought
     * @param page the first hash of the page where it would be
     */
    record Question(int index, ArchiveFilters archive, long page, long hash, long low) {}

    ArchiveList {
        all = List.copyOf(all);
    }

    /**
     * Returns which archives may have the ids that have no entry yet. A claim of new messages gets here with all of them, so an id costs an access to each filter and no
     * object. {@code PartBenchmark.asksArchives} measures it.
     *
     * @param after archives up to this version count as purged
     */
    List<Question> questions(Ids ids, @Nullable Entry[] entries, long after) {
        List<Question> questions = List.of();
        long[] hashes = new long[0];
        ArchiveHash hash = null;
        for (int i = all.size() - 1; i >= 0 && all.get(i).lastVersion() > after; i--) {
            ArchiveFilters archive = all.get(i);
            if (hash != archive.hash()) {
                hash = archive.hash();
                hashes = hashes(ids, hash);
            }
            for (int id = 0; id < entries.length; id++) {
                int filter = entries[id] == null ? archive.filterOf(hashes[id]) : -1;
                if (filter >= 0) {
                    questions = questions.isEmpty() ? new ArrayList<>() : questions;
                    questions.add(
                            new Question(id, archive, archive.pageOf(filter, hashes[id]), hashes[id], ids.low(id)));
                }
            }
        }
        return questions;
    }

    private static long[] hashes(Ids ids, ArchiveHash hash) {
        long[] hashes = new long[ids.size()];
        for (int i = 0; i < hashes.length; i++) {
            hashes[i] = hash.hash(ids.high(i), ids.low(i));
        }
        return hashes;
    }

    /** Returns these and a newer one. */
    ArchiveList with(ArchiveFilters newest) {
        return new ArchiveList(Stream.concat(all.stream(), Stream.of(newest)).toList());
    }

    /** Returns those that are not purged up to a version. */
    ArchiveList after(long version) {
        return all.isEmpty() || all.get(0).lastVersion() > version
                ? this
                : new ArchiveList(all.stream()
                        .filter(archive -> archive.lastVersion() > version)
                        .toList());
    }

    /** Returns the archive with the number, or null. */
    @Nullable
    ArchiveFilters numbered(long number) {
        for (ArchiveFilters archive : all) {
            if (archive.head().number() == number) {
                return archive;
            }
        }
        return null;
    }

    /**
     * Returns whether the list can be as new as another one: those archives of the other one that it lacks were purged, or merged into one of these. Otherwise it is
     * older, or the database has lost commits.
     */
    boolean isNotOlderThan(ArchiveList other, long horizonVersion) {
        return other.all().stream()
                .allMatch(archive -> archive.lastVersion() <= horizonVersion || hasMessagesOf(archive));
    }

    private boolean hasMessagesOf(ArchiveFilters archive) {
        return numbered(archive.head().number()) != null
                || all.stream()
                        .anyMatch(each -> each.head().span().firstVersion()
                                        <= archive.head().span().firstVersion()
                                && each.lastVersion() >= archive.lastVersion());
    }

    /** Returns where the messages begin that lie behind those of older archives; -1 if there are none. */
    long frontOffset() {
        return all.stream()
                .mapToLong(archive -> archive.head().span().frontOffset())
                .filter(offset -> offset >= 0)
                .findFirst()
                .orElse(-1);
    }

    long bytes() {
        return all.stream().mapToLong(ArchiveFilters::bytes).sum();
    }

    long messages() {
        return all.stream().mapToLong(archive -> archive.head().messages()).sum();
    }
}

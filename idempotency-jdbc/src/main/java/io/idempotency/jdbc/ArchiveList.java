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
     * Returns which archives may have the ids that have no entry yet.
     *
     * @param after archives up to this version count as purged
     */
    List<Question> questions(Ids ids, @Nullable Entry[] entries, long after) {
        List<Question> questions = new ArrayList<>();
        HashedIds hashed = null;
        for (int i = all.size() - 1; i >= 0 && all.get(i).lastVersion() > after; i--) {
            ArchiveFilters archive = all.get(i);
            if (hashed == null || hashed.hash() != archive.hash()) {
                hashed = new HashedIds(ids, entries, archive.hash());
            }
            SoughtKeys sought = hashed.sought();
            archive.ask(sought);
            for (int at = 0; at < sought.size(); at++) {
                if (sought.isMaybe(at)) {
                    int index = hashed.index(at);
                    long key = sought.key(at);
                    questions.add(new Question(index, archive, archive.pageOf(key), key, ids.low(index)));
                }
            }
        }
        return questions;
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

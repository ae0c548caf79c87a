package io.idempotency.jdbc;

/**
 * The header of an archive: a part of a journal, of which the messages are in pages, sorted by hash. Of a message with several entries in that part it has the
 * newest one.
 *
 * @param number random, so that no two archives of a journal have the same one, even if the database has lost commits
 * @param seed of {@link ArchiveHash}, the same for all archives of a journal
 * @param span what it covers; empty until it is complete
 * @param messages how many entries it has
 * @param quarantined how many of them are of quarantined messages
 */
record ArchiveHead(JournalKey key, long number, State state, long seed, Span span, long messages, long quarantined) {

    /** The life of an archive. Only an active one belongs to its journal. */
    enum State {
        BUILDING(0),
        ACTIVE(1),
        /** Replaced or purged, or its builder died: its rows are to be deleted. */
        DEAD(2);

        private final int number;

        State(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }

        static State of(int number) {
            return number == 0 ? BUILDING : number == 1 ? ACTIVE : DEAD;
        }
    }

    /**
     * What an archive covers, all ends included.
     *
     * @param firstAt in microseconds since 1970 UTC
     * @param firstOffset the least offset, also of a replay
     * @param frontOffset where its messages begin that lie behind all older ones; -1 if there are only messages of replays
     */
    record Span(
            long firstVersion,
            long lastVersion,
            long firstAt,
            long lastAt,
            long firstOffset,
            long lastOffset,
            long frontOffset) {

        static final Span NONE = new Span(0, 0, 0, 0, 0, 0, -1);

        private static final int STEPS = 0xFFFF;

        /** Returns the offset of a message, from the number in its page. */
        long offset(long packed) {
            return firstOffset + packed;
        }

        /** Returns the time of a message, from the number in its page: right to half a step, a part of 65,535 of the time that the archive covers. */
        long at(int packed) {
            return firstAt + Math.round((double) (lastAt - firstAt) * packed / STEPS);
        }

        /** Returns the number for a time; a time outside of the span counts as its nearest end. */
        int packed(long at) {
            return at <= firstAt
                    ? 0
                    : (int) Math.min(STEPS, Math.round((double) (at - firstAt) * STEPS / (lastAt - firstAt)));
        }

        /** Returns the same without times behind the given one. */
        Span until(long latest) {
            return new Span(
                    firstVersion,
                    lastVersion,
                    Math.min(firstAt, latest),
                    Math.min(lastAt, latest),
                    firstOffset,
                    lastOffset,
                    frontOffset);
        }

        /** Returns how many bytes an offset takes in a page. */
        int offsetBytes() {
            return ArchivePage.bytes(lastOffset - firstOffset);
        }
    }

    ArchiveHead withSpan(Span covered) {
        return new ArchiveHead(key, number, state, seed, covered, messages, quarantined);
    }

    /** Returns the time of a message of a page. */
    long at(ArchivePage page, int index) {
        return span.at(page.time(index));
    }

    /** Returns the offset of a message of a page. */
    long offset(ArchivePage page, int index) {
        return span.offset(page.offset(index));
    }
}

package io.idempotency.jdbc;

/**
 * The head of a journal, as stored in the database.
 *
 * @param version how many segments were ever appended
 * @param token a random number, new for each append: a database that loses commits can reach a version twice
 * @param at the time of the newest segment; age is measured against it
 * @param horizonVersion the last segment that the purge deleted
 * @param horizonOffset up to this offset, nobody can tell whether an unknown delivery was processed
 * @param partitions how many partitions the topic had when the journal was last loaded; 0 if unknown
 * @param archivedVersion the last segment whose messages are in archives; segments up to it count as deleted
 */
record JournalHead(
        JournalKey key,
        long version,
        long token,
        long at,
        long horizonVersion,
        long horizonOffset,
        int partitions,
        long archivedVersion) {

    boolean isAt(JournalTip tip) {
        return version == tip.version() && token == tip.token();
    }

    JournalHead withHorizon(long newVersion, long newOffset) {
        return new JournalHead(key, version, token, at, newVersion, newOffset, partitions, archivedVersion);
    }

    JournalHead withTime(long newest) {
        return new JournalHead(key, version, token, newest, horizonVersion, horizonOffset, partitions, archivedVersion);
    }

    JournalHead withTip(JournalTip tip, long newest) {
        return new JournalHead(
                key, tip.version(), tip.token(), newest, horizonVersion, horizonOffset, partitions, archivedVersion);
    }

    /** Returns the version of the last segment that is purged or archived: the first one that is there follows it. */
    long goneVersion() {
        return Math.max(horizonVersion, archivedVersion);
    }

    JournalTip tip() {
        return new JournalTip(version, token);
    }

    /** Returns this head as it was when the journal ended at the tip. */
    JournalHead back(JournalTip tip) {
        return new JournalHead(
                key, tip.version(), tip.token(), at, horizonVersion, horizonOffset, partitions, archivedVersion);
    }
}

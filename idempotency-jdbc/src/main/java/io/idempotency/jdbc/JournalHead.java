package io.idempotency.jdbc;

/**
 * The head of a journal, as it is in the database.
 *
 * @param version how many segments were ever appended
 * @param token a random number, another one for each append: a version can be reached twice if the database loses commits
 * @param at the time of the newest segment, which age is measured against
 * @param horizonVersion the last segment that the purge deleted
 * @param horizonOffset deliveries up to this offset cannot be judged if they are not known
 * @param partitions how many partitions the topic had when the journal was met last; 0 if nobody said
 */
record JournalHead(
        JournalKey key, long version, long token, long at, long horizonVersion, long horizonOffset, int partitions) {

    boolean isAt(JournalTip tip) {
        return version == tip.version() && token == tip.token();
    }

    JournalHead withHorizon(long newVersion, long newOffset) {
        return new JournalHead(key, version, token, at, newVersion, newOffset, partitions);
    }

    JournalHead withTime(long newest) {
        return new JournalHead(key, version, token, newest, horizonVersion, horizonOffset, partitions);
    }

    JournalTip tip() {
        return new JournalTip(version, token);
    }

    /** Returns this head as it was when the journal ended there. */
    JournalHead back(JournalTip tip) {
        return new JournalHead(key, tip.version(), tip.token(), at, horizonVersion, horizonOffset, partitions);
    }
}

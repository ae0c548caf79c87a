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
record Head(
        JournalKey key, long version, long token, long at, long horizonVersion, long horizonOffset, int partitions) {

    boolean isAt(Tip tip) {
        return version == tip.version() && token == tip.token();
    }

    Head withHorizon(long newVersion, long newOffset) {
        return new Head(key, version, token, at, newVersion, newOffset, partitions);
    }

    Head withTime(long newest) {
        return new Head(key, version, token, newest, horizonVersion, horizonOffset, partitions);
    }

    Tip tip() {
        return new Tip(version, token);
    }

    /** Returns this head as it was when the journal ended there. */
    Head back(Tip tip) {
        return new Head(key, tip.version(), tip.token(), at, horizonVersion, horizonOffset, partitions);
    }
}

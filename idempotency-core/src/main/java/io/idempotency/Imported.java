package io.idempotency;

/**
 * What an import into quarantine did, or would do.
 *
 * @param added how many messages are in quarantine that were not there before
 * @param replaced how many messages were there, and have the bytes and the failure of the import now
 * @param known how many messages were there, and stay as they are
 * @param settled how many messages are processed, expired or dropped, and so were left out
 * @param busy how many messages belong to a running replay or are in progress, and so were left out: import them again later
 */
public record Imported(long added, long replaced, long known, long settled, long busy) {

    /** Nothing yet. */
    static final Imported NOTHING = new Imported(0, 0, 0, 0, 0);

    /** Returns how many messages were read. */
    public long total() {
        return added + replaced + known + settled + busy;
    }

    Imported plus(Imported other) {
        return new Imported(
                added + other.added,
                replaced + other.replaced,
                known + other.known,
                settled + other.settled,
                busy + other.busy);
    }
}

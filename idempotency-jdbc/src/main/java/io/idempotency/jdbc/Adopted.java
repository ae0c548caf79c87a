package io.idempotency.jdbc;

/**
 * How far an adoption has come, in rows of its query: {@code read = adopted + known + old}. Counts only batches that are committed.
 *
 * @param read the rows that were read
 * @param adopted the rows whose message the store remembers from now on
 * @param known the rows whose message had a row in the store already; nothing of it was changed
 * @param unsettled those of the known ones that a consumer of the store has claimed and not settled. Their next delivery is handled
 * @param old the rows that are older than the retention of their consumer, and were left out
 * @param last the id in the last row, as the query returned it; empty before the first batch
 */
public record Adopted(long read, long adopted, long known, long unsettled, long old, String last) {

    static final Adopted NOTHING = new Adopted(0, 0, 0, 0, 0, "");

    @Override
    public String toString() {
        return read + " rows read, " + adopted + " adopted, " + known + " known already (" + unsettled
                + " of them not settled), " + old + " older than the retention";
    }
}

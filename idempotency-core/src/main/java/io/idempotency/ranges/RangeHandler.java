package io.idempotency.ranges;

import java.util.List;

/**
 * Writes ranges to a sink without transactions: an analytic database, a search engine, an object store. The sink must take a range that is written twice, with the same
 * token and the same records, for one: by a token of deduplication, by ids of rows, or by the name of an object. Thread-safe: a
 * replay writes beside the poll loop.
 */
@FunctionalInterface
public interface RangeHandler<M> {

    /**
     * Writes all records of a range. When it returns, they must be there for good. If it throws, or its process dies, the same range is written again, perhaps
     * by another process, and perhaps while this one still writes it.
     *
     * @param records in the order of their offsets, as many as the range has
     */
    void write(Range range, List<M> records) throws Exception;
}

package io.idempotency.jdbc;

import io.idempotency.store.MessageRange;
import io.idempotency.store.Position;
import io.idempotency.store.StoredMessages.Batch;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Forgets ranges of messages. There is no index on positions, so each batch reads some rows of the consumer in the order of their keys, and deletes those of the
 * range.
 */
final class TableRanges {

    private static final int MOST_KEYS = 512;
    private static final long NO_PLACE = Long.MIN_VALUE;

    private final StoreDatabase database;
    private final Tables tables;
    private final ResultRows results;

    TableRanges(StoreDatabase database, Tables tables) {
        this.database = database;
        this.tables = tables;
        this.results = new ResultRows(tables);
    }

    /**
     * The rows of a batch.
     *
     * @param settled the keys of processed and dropped messages of the range
     * @param newest the time of the newest one of them
     * @param next where the next batch begins
     */
    private record Page(List<MessageKey> settled, long newest, long quarantined, Optional<String> next) {}

    /** Where the messages are in numbers; both times in microseconds, the second one excluded. */
    private record Bounds(int consumer, long place, long from, long to) {}

    /** What is asked for. */
    record Asked(MessageRange range, String after, int limit, boolean isForgetting) {}

    Batch batch(Connection connection, ActiveTransaction active, Asked asked) throws SQLException {
        MessageRange range = asked.range();
        Integer consumer = database.consumer(connection, range.consumer(), active.proposedNames());
        long place = place(connection, range, active.proposedNames());
        if (consumer == null || place == NO_PLACE) {
            return new Batch(0, 0, Optional.empty());
        }
        Bounds bounds = new Bounds(consumer, place, micros(range.from()), micros(range.to()));
        Page page = page(connection, asked, bounds);
        long messages = asked.isForgetting()
                ? delete(connection, active, page)
                : page.settled().size();
        return new Batch(messages, page.quarantined(), page.next());
    }

    /** Returns the place of a range of offsets; -1 for all places. */
    private long place(Connection connection, MessageRange range, Map<String, Integer> proposed) throws SQLException {
        if (!range.isOfOffsets()) {
            return -1;
        }
        Integer stream = database.consumer(connection, range.stream(), proposed);
        return stream == null
                ? NO_PLACE
                : Names.place(new Position(range.stream(), range.partition(), 0), Map.of(range.stream(), stream));
    }

    private static long micros(Instant moment) {
        if (moment.equals(Instant.MIN)) {
            return Long.MIN_VALUE;
        }
        return moment.equals(Instant.MAX) ? Long.MAX_VALUE : StoredTime.micros(moment);
    }

    private static final String PAGE = """
            select message_id, at_micros, state, record_offset, place from ${tables}message
            where consumer = ? ${after} order by message_id ${first}
            """;

    private Page page(Connection connection, Asked asked, Bounds bounds) throws SQLException {
        String after = asked.after();
        Dialect dialect = database.dialect(connection);
        String sql = tables.fill(PAGE)
                .replace("${after}", after.isEmpty() ? "" : "and message_id > ?")
                .replace("${first}", dialect.first(asked.limit()));
        List<MessageKey> settled = new ArrayList<>();
        long newest = Long.MIN_VALUE;
        long quarantined = 0;
        int rows = 0;
        UUID last = null;
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, bounds.consumer());
            if (!after.isEmpty()) {
                statement.setObject(2, dialect.id(UUID.fromString(after)));
            }
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    rows++;
                    last = MessageKey.id(row, 1);
                    MessageState state = MessageState.of(row.getInt(3));
                    if (!state.isSettled() || !isIn(asked.range(), bounds, row)) {
                        continue;
                    }
                    if (state.status() == MessageState.Status.QUARANTINED) {
                        quarantined++;
                    } else {
                        settled.add(new MessageKey(bounds.consumer(), last));
                        newest = Math.max(newest, row.getLong(2));
                    }
                }
            }
        }
        Optional<String> next = last == null || rows < asked.limit() ? Optional.empty() : Optional.of(last.toString());
        return new Page(settled, newest, quarantined, next);
    }

    private static boolean isIn(MessageRange range, Bounds bounds, ResultSet row) throws SQLException {
        long at = row.getLong(2);
        long offset = MessageArrival.offset(row.getLong(4));
        boolean isThere = bounds.place() == -1
                || (row.getLong(5) == bounds.place() && offset >= range.firstOffset() && offset <= range.lastOffset());
        return isThere && at >= bounds.from() && at < bounds.to();
    }

    /** A message that somebody has forgotten and processed meanwhile is newer than all that were read. */
    private static final String DELETE = """
            delete from ${tables}message
            where consumer = ? and message_id in (${ids}) and state >= ? and state < ? and at_micros <= ?
            """;

    private long delete(Connection connection, ActiveTransaction active, Page page) throws SQLException {
        long deleted = 0;
        List<MessageKey> all = page.settled();
        for (int from = 0; from < all.size(); from += MOST_KEYS) {
            List<MessageKey> some = all.subList(from, Math.min(all.size(), from + MOST_KEYS));
            deleted += deleteSome(connection, some, page.newest());
            some.forEach(active.evidence()::deleted);
            results.forget(connection, database.dialect(connection), some);
        }
        if (deleted > 0) {
            database.forgetSettled(connection, all.get(0).consumer());
        }
        return deleted;
    }

    private int deleteSome(Connection connection, List<MessageKey> keys, long newest) throws SQLException {
        Dialect dialect = database.dialect(connection);
        String sql = tables.fill(DELETE).replace("${ids}", PlainDialect.parameters(keys.size()));
        return dialect.update(connection, sql, statement -> {
            int i = 0;
            statement.setInt(++i, keys.get(0).consumer());
            for (int j = 0; j < PlainDialect.parametersFor(keys.size()); j++) {
                statement.setObject(
                        ++i, dialect.id(keys.get(Math.min(j, keys.size() - 1)).id()));
            }
            statement.setInt(++i, MessageState.FIRST_SETTLED);
            statement.setInt(++i, MessageState.FIRST_QUARANTINED);
            statement.setLong(++i, newest);
        });
    }
}

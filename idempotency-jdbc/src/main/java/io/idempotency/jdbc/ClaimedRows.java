package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Settles or releases the rows that a transaction claimed, when it ends. Key and time of the claim identify a row: two claims of one message wait
 * for each other, so they never have the same microsecond.
 */
final class ClaimedRows {

    private static final int MOST_KEYS = 512;

    private final Connection connection;
    private final Dialect dialect;
    private final Tables tables;
    private final Evidence evidence;

    /** A group of rows that one statement changes. */
    private record Alike(int consumer, long at, int attempt, int starts, boolean isOutOfQuarantine)
            implements Comparable<Alike> {

        static Alike of(MessageRow row, boolean isOutOfQuarantine) {
            return new Alike(
                    row.key().consumer(),
                    row.at(),
                    row.state().attempt(),
                    row.state().starts(),
                    isOutOfQuarantine);
        }

        @Override
        public int compareTo(Alike other) {
            int order = Integer.compare(consumer, other.consumer);
            order = order != 0 ? order : Long.compare(at, other.at);
            order = order != 0 ? order : Integer.compare(attempt, other.attempt);
            order = order != 0 ? order : Integer.compare(starts, other.starts);
            return order != 0 ? order : Boolean.compare(isOutOfQuarantine, other.isOutOfQuarantine);
        }
    }

    ClaimedRows(Connection connection, Dialect dialect, Tables tables, Evidence evidence) {
        this.connection = connection;
        this.dialect = dialect;
        this.tables = tables;
        this.evidence = evidence;
    }

    /** Makes the rows processed for good. Returns whether all of them exist. */
    boolean settle() throws SQLException {
        int settled = 0;
        for (Map.Entry<Alike, List<MessageRow>> each : alike().entrySet()) {
            MessageState unproved =
                    MessageState.unproved(each.getKey().attempt(), each.getKey().starts());
            MessageState processed = MessageState.processed(
                    each.getKey().attempt(), each.getKey().starts());
            settled += change(each.getKey(), each.getValue(), processed, unproved, processed);
        }
        return settled == evidence.claimed().size();
    }

    /** Releases rows that somebody committed before they were proved, or puts them back into quarantine. Returns their number. */
    int release() throws SQLException {
        evidence.savepoint(null);
        int released = 0;
        for (Map.Entry<Alike, List<MessageRow>> each : alike().entrySet()) {
            MessageState unproved =
                    MessageState.unproved(each.getKey().attempt(), each.getKey().starts());
            MessageState free = new MessageState(
                    each.getKey().isOutOfQuarantine() ? MessageState.Status.QUARANTINED : MessageState.Status.RELEASED,
                    each.getKey().attempt(),
                    each.getKey().starts(),
                    0);
            released += change(each.getKey(), each.getValue(), free, unproved, unproved);
        }
        return released;
    }

    private Map<Alike, List<MessageRow>> alike() {
        Map<Alike, List<MessageRow>> alike = new TreeMap<>();
        for (MessageRow row : evidence.claimed()) {
            Alike key = Alike.of(row, evidence.isOutOfQuarantine(row.key()));
            alike.computeIfAbsent(key, absent -> new ArrayList<>()).add(row);
        }
        return alike;
    }

    private int change(Alike alike, List<MessageRow> rows, MessageState to, MessageState from, MessageState orFrom)
            throws SQLException {
        int changed = 0;
        for (int begin = 0; begin < rows.size(); begin += MOST_KEYS) {
            List<MessageRow> some = rows.subList(begin, Math.min(rows.size(), begin + MOST_KEYS));
            changed += changeSome(alike, some, to, from, orFrom);
        }
        return changed;
    }

    /** A processed row may have the seal of a row that the trigger of PostgreSQL guards. */
    private static final String CHANGE = """
            update ${tables}message set state = ?
            where consumer = ? and message_id in (${ids}) and at_micros = ? and state in (?, ?, ?)
            """;

    private int changeSome(Alike alike, List<MessageRow> rows, MessageState to, MessageState from, MessageState orFrom)
            throws SQLException {
        String sql = tables.fill(CHANGE).replace("${ids}", PlainDialect.parameters(rows.size()));
        return dialect.change(connection, evidence, sql, statement -> {
            int i = 0;
            statement.setInt(++i, to.packed());
            statement.setInt(++i, alike.consumer());
            for (int j = 0; j < PlainDialect.parametersFor(rows.size()); j++) {
                MessageRow row = rows.get(Math.min(j, rows.size() - 1));
                statement.setObject(++i, dialect.id(row.key().id()));
            }
            statement.setLong(++i, alike.at());
            statement.setInt(++i, from.packed());
            statement.setInt(++i, orFrom.packed());
            statement.setInt(++i, orFrom.packed() | MessageState.UNPROVED);
        });
    }
}

package io.idempotency.jdbc;

import io.idempotency.store.StoredId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The statements for MariaDB 10.6 and later. {@code insert ignore} would swallow other errors, and {@code on duplicate key update} would lock
 * processed rows, so messages are inserted by plain inserts.
 */
final class MariaDbDialect extends InsertFirstDialect {

    private final String bounded;

    MariaDbDialect(Tables tables, Duration claimTimeout) {
        super(tables, claimTimeout);
        long seconds = Math.max(1, claimTimeout.toSeconds());
        this.bounded = "set statement innodb_lock_wait_timeout=" + seconds + ", lock_wait_timeout=" + seconds + " for ";
    }

    private static final String INSERT = """
            insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
            values ${rows}
            returning consumer, message_id, at_micros, state, record_offset, place, ${clock}
            """;

    @Override
    List<MessageRow> insertAbsent(
            Connection connection, List<MessageArrival> absent, MessageState state, long aheadMicros)
            throws SQLException {
        String row = "(" + clock() + " + ?, ?, ?, ?, ?, ?)";
        String rows = (row + ", ").repeat(absent.size() - 1) + row;
        try (PreparedStatement statement =
                connection.prepareStatement(bounded + filled(INSERT).replace("${rows}", rows))) {
            int i = 0;
            for (MessageArrival arrival : absent) {
                statement.setLong(++i, aheadMicros);
                statement.setLong(++i, arrival.offset());
                statement.setLong(++i, arrival.place());
                statement.setInt(++i, arrival.key().consumer());
                statement.setInt(++i, state.packed());
                statement.setObject(++i, id(arrival.key().id()));
            }
            try (ResultSet result = statement.executeQuery()) {
                return granted(result);
            }
        }
    }

    private static List<MessageRow> granted(ResultSet result) throws SQLException {
        List<MessageRow> rows = new ArrayList<>();
        while (result.next()) {
            rows.add(new MessageRow(
                    new MessageKey(result.getInt(1), StoredId.fromBytes(result.getBytes(2))),
                    result.getLong(3),
                    MessageState.of(result.getInt(4)),
                    result.getLong(5),
                    result.getLong(6),
                    result.getLong(7),
                    true));
        }
        return rows;
    }

    /** {@inheritDoc} The savepoint is released together with the update, in one round trip. */
    @Override
    boolean isAnother(Connection connection, Evidence evidence) {
        return false;
    }

    private static final String NO_SAVEPOINT = "1305";

    private static final String RELEASING =
            """
            begin not atomic
                declare is_another int default 0;
                declare continue handler for ${no_savepoint} set is_another = 1;
                release savepoint ${savepoint};
                ${change};
                select is_another, row_count();
            end
            """.replace("${no_savepoint}", NO_SAVEPOINT).replace("${savepoint}", SAVEPOINT);

    @Override
    public int change(Connection connection, Evidence evidence, String sql, Parameters parameters) throws SQLException {
        if (evidence.savepoint() == null) {
            return super.change(connection, evidence, sql, parameters);
        }
        evidence.savepoint(null);
        String releasing = RELEASING.replace("${change}", beforeWaiting() + sql);
        try (PreparedStatement statement = connection.prepareStatement(releasing)) {
            parameters.set(statement);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                if (result.getInt(1) != 0) {
                    evidence.isAnother();
                }
                return result.getInt(2);
            }
        }
    }

    @Override
    public long now(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select " + clock());
                ResultSet result = statement.executeQuery()) {
            result.next();
            return result.getLong(1);
        }
    }

    /** {@inheritDoc} Unlike {@code now()}, it does not depend on the session's time zone. */
    @Override
    public String clock() {
        return "timestampdiff(microsecond, timestamp'1970-01-01 00:00:00', utc_timestamp(6))";
    }

    @Override
    public String currentRead() {
        return " lock in share mode";
    }

    @Override
    public String beforeWaiting() {
        return bounded;
    }

    @Override
    void bound(PreparedStatement statement) {
        // The lock wait timeout of the statement does.
    }
}

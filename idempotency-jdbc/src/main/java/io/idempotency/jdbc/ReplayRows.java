package io.idempotency.jdbc;

import io.idempotency.replay.Replay;
import io.idempotency.replay.Replay.Progress;
import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineSelection;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads and writes rows of the table of replays. Anybody may have written them, so nothing in them is certain. Immutable and thread-safe. */
final class ReplayRows {

    private static final Logger log = LoggerFactory.getLogger(JdbcReplays.class);
    private static final int MOST_CHARS_OF_ID = 64;

    private final Tables tables;

    ReplayRows(Tables tables) {
        this.tables = tables;
    }

    /**
     * A row.
     *
     * @param id as it is stored
     * @param consumer the number of the consumer
     * @param replay the row as far as it makes sense
     * @param isComplete whether a node has completed it
     * @param mistake what is wrong with it
     */
    record Row(String id, int consumer, Replay replay, boolean isComplete, Optional<String> mistake) {}

    private static final String INSERT = """
            insert into ${tables}replay (id, consumer, per_second, may_repeat, stop_after, at_micros, actor, selection, reason)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;

    void insert(Connection connection, Dialect dialect, ReplayRequest request, int consumer) throws SQLException {
        long now = dialect.now(connection);
        dialect.update(connection, tables.fill(INSERT), statement -> {
            statement.setString(1, request.id());
            statement.setInt(2, consumer);
            statement.setInt(3, request.perSecond());
            statement.setInt(4, request.mayRepeat() ? 1 : 0);
            statement.setInt(5, request.stopAfter());
            statement.setLong(6, now);
            statement.setString(7, request.actor());
            statement.setString(8, request.selection().toString());
            statement.setString(9, request.reason());
        });
    }

    private static final String SELECT = """
            select r.id, n.name, r.consumer, r.status, r.per_second, r.may_repeat, r.stop_after, r.total, r.processed, r.duplicates, r.failed,
                r.unreadable, r.at_micros, r.ended_micros, r.actor, r.selection, r.reason, r.stopped_by
            from ${tables}replay r join ${tables}name n on n.id = r.consumer
            where ${condition}
            """;

    Optional<Row> find(Connection connection, String id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(select("r.id = ?"))) {
            statement.setString(1, id);
            return read(statement).stream().findFirst();
        }
    }

    /** Returns the replays of a consumer, the newest first. */
    List<Row> list(Connection connection, Dialect dialect, String consumer, int limit) throws SQLException {
        String sql = select("n.name = ? order by r.at_micros desc, r.id ") + dialect.first(limit);
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, consumer);
            return read(statement);
        }
    }

    /** Returns the replays of a consumer that have neither ended nor are paused, whatever their status is. */
    List<Row> going(Connection connection, String consumer) throws SQLException {
        String condition = "n.name = ? and r.status not in ('PAUSED', 'STOPPED', 'DONE') order by r.at_micros, r.id";
        try (PreparedStatement statement = connection.prepareStatement(select(condition))) {
            statement.setString(1, consumer);
            return read(statement);
        }
    }

    private String select(String condition) {
        return tables.fill(SELECT).replace("${condition}", condition);
    }

    private static List<Row> read(PreparedStatement statement) throws SQLException {
        List<Row> rows = new ArrayList<>();
        try (ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                rows.add(row(row));
            }
        }
        return rows;
    }

    private static Row row(ResultSet row) throws SQLException {
        String id = row.getString("id");
        String stored = row.getString("status");
        Optional<Status> known = Stream.of(Status.values())
                .filter(each -> each.name().equals(stored))
                .findFirst();
        boolean isIdUsable = !id.isBlank() && id.length() <= MOST_CHARS_OF_ID;
        ReplayRequest request = new ReplayRequest(
                isIdUsable ? id : "?",
                QuarantineSelection.of(row.getString("name")),
                Math.max(1, row.getInt("per_second")),
                Math.max(1, row.getInt("stop_after")),
                row.getInt("may_repeat") != 0,
                text(row.getString("actor"), "unknown"),
                text(row.getString("reason"), ""));
        Status status = known.orElse(Status.STOPPED);
        long ended = row.getLong("ended_micros");
        Optional<Instant> endedAt =
                status.hasEnded() && ended > 0 ? Optional.of(StoredTime.instant(ended)) : Optional.empty();
        Replay replay = new Replay(
                request,
                text(row.getString("selection"), "messages chosen by a statement"),
                status,
                progress(row),
                StoredTime.instant(row.getLong("at_micros")),
                endedAt,
                status.hasEnded() ? Optional.ofNullable(row.getString("stopped_by")) : Optional.empty());
        return new Row(
                id, row.getInt("consumer"), replay, row.getLong("at_micros") > 0, mistake(row, known, isIdUsable));
    }

    private static Progress progress(ResultSet row) throws SQLException {
        return new Progress(
                row.getLong("total"),
                row.getLong("processed"),
                row.getLong("duplicates"),
                row.getLong("failed"),
                row.getLong("unreadable"));
    }

    private static Optional<String> mistake(ResultSet row, Optional<Status> known, boolean isIdUsable)
            throws SQLException {
        String mistake = null;
        if (known.isEmpty()) {
            mistake = "status is " + row.getString("status") + ", but must be RUNNING, PAUSED, STOPPED or DONE";
        } else if (row.getInt("per_second") < 1) {
            mistake = "per_second is " + row.getInt("per_second") + ", but must be positive";
        } else if (row.getInt("stop_after") < 1) {
            mistake = "stop_after is " + row.getInt("stop_after") + ", but must be positive";
        } else if (!isIdUsable) {
            mistake = "id is empty or longer than " + MOST_CHARS_OF_ID + " characters";
        }
        return Optional.ofNullable(mistake)
                .map(what -> "The row of this replay is wrong: " + what
                        + ". Nothing of it was replayed since. Correct it, and set the status to RUNNING");
    }

    private static String text(@Nullable String stored, String otherwise) {
        return stored == null ? otherwise : stored;
    }

    private static final String COMPLETE = """
            update ${tables}replay set at_micros = ?, total = ?, ended_micros = 0, stopped_by = null, failures_in_row = 0
            where id = ? and at_micros = 0
            """;

    /** Completes a row that somebody has written without total and time. */
    void complete(Connection connection, Dialect dialect, String id, long total) throws SQLException {
        long now = dialect.now(connection);
        dialect.update(connection, tables.fill(COMPLETE), statement -> {
            statement.setLong(1, now);
            statement.setLong(2, total);
            statement.setString(3, id);
        });
    }

    private static final String SET_TOTAL = "update ${tables}replay set total = ? where id = ?";

    void setTotal(Connection connection, Dialect dialect, String id, long total) throws SQLException {
        dialect.update(connection, tables.fill(SET_TOTAL), statement -> {
            statement.setLong(1, total);
            statement.setString(2, id);
        });
    }

    private static final String MOVE = "update ${tables}replay set status = ? where id = ? and status = ?";

    /** Changes the status of a replay that has not ended. Returns whether it had the expected one. */
    boolean move(Connection connection, Dialect dialect, String id, Status from, Status to) throws SQLException {
        return dialect.update(connection, tables.fill(MOVE), statement -> {
                    statement.setString(1, to.name());
                    statement.setString(2, id);
                    statement.setString(3, from.name());
                })
                > 0;
    }

    private static final String END = """
            update ${tables}replay set status = ?, ended_micros = ?, stopped_by = ? where id = ? and status not in ('STOPPED', 'DONE')
            """;

    /** Ends a replay, for a reason if it is stopped or messages are left. Returns whether it had not ended. */
    boolean end(Connection connection, Dialect dialect, String id, Status status, @Nullable String why)
            throws SQLException {
        long now = dialect.now(connection);
        return dialect.update(connection, tables.fill(END), statement -> {
                    statement.setString(1, status.name());
                    statement.setLong(2, now);
                    statement.setString(3, why);
                    statement.setString(4, id);
                })
                > 0;
    }

    /** Stops a replay because of a mistake in its row. The node that does it says so in its log: the author may look nowhere else. */
    void stop(Connection connection, Dialect dialect, String id, String mistake) throws SQLException {
        if (end(connection, dialect, id, Status.STOPPED, mistake)) {
            log.warn("Replay {} is stopped. {}.", Printable.of(id), Printable.of(mistake));
        }
    }
}

package io.idempotency.jdbc;

import io.idempotency.jdbc.QuarantineSearch.Found;
import io.idempotency.replay.ReplayStore.Item;
import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The quarantined messages of replays: a column of their rows has the id of the replay. A message is free if that replay has ended, so ending a replay
 * changes one row only, and waits for no message that is being handled.
 */
final class ReplayMembers {

    private static final int AT_ONCE = 500;

    private final Tables tables;
    private final StoreDatabase database;

    ReplayMembers(Tables tables, StoreDatabase database) {
        this.tables = tables;
        this.database = database;
    }

    private static final String JOIN =
            "update ${tables}quarantine set replay = ? where consumer = ? and message_id in (${ids}) and ${free}";

    /** Makes rows members of a replay, unless they have become members of another one since they were read. */
    void join(Connection connection, String replay, int consumer, List<Found> free) throws SQLException {
        Map<String, List<Found>> byFormer = new HashMap<>();
        List<Found> never = new ArrayList<>();
        for (Found found : free) {
            String former = found.member();
            (former == null ? never : byFormer.computeIfAbsent(former, id -> new ArrayList<>())).add(found);
        }
        join(connection, replay, consumer, never, List.of());
        for (Map.Entry<String, List<Found>> each : byFormer.entrySet()) {
            join(connection, replay, consumer, each.getValue(), List.of(each.getKey()));
        }
    }

    private void join(Connection connection, String replay, int consumer, List<Found> free, List<String> former)
            throws SQLException {
        Dialect dialect = database.dialect(connection);
        List<MessageKey> keys = free.stream().map(Found::key).sorted().toList();
        for (int from = 0; from < keys.size(); from += AT_ONCE) {
            List<MessageKey> some = keys.subList(from, Math.min(keys.size(), from + AT_ONCE));
            String sql = tables.fill(JOIN)
                    .replace("${ids}", PlainDialect.parameters(some.size()))
                    .replace("${free}", former.isEmpty() ? "replay is null" : "replay = ?");
            dialect.update(connection, sql, statement -> {
                int at = setKeys(statement, dialect, List.of(replay, consumer), some);
                if (!former.isEmpty()) {
                    statement.setString(at, former.get(0));
                }
            });
        }
    }

    /** Sets parameters, and those of a list of keys. Returns the index of the next one. */
    private static int setKeys(PreparedStatement statement, Dialect dialect, List<Object> before, List<MessageKey> keys)
            throws SQLException {
        int at = 1;
        for (Object parameter : before) {
            statement.setObject(at++, parameter);
        }
        for (int i = 0; i < PlainDialect.parametersFor(keys.size()); i++) {
            statement.setObject(
                    at++, dialect.id(keys.get(Math.min(i, keys.size() - 1)).id()));
        }
        return at;
    }

    private static final String PROCESSED = """
            select count(*) from ${tables}message where consumer = ? and message_id in (${ids}) and state >= ? and state < ?
            """;

    /** Returns how many of the rows were processed meanwhile, as the table of messages says. */
    long processed(Connection connection, List<Found> rows) throws SQLException {
        Dialect dialect = database.dialect(connection);
        long processed = 0;
        for (int from = 0; from < rows.size(); from += AT_ONCE) {
            List<MessageKey> some = rows.subList(from, Math.min(rows.size(), from + AT_ONCE)).stream()
                    .map(Found::key)
                    .toList();
            String sql = tables.fill(PROCESSED).replace("${ids}", PlainDialect.parameters(some.size()));
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                int at = setKeys(statement, dialect, List.of(some.get(0).consumer()), some);
                statement.setInt(at, MessageState.FIRST_SETTLED);
                statement.setInt(at + 1, MessageState.FIRST_QUARANTINED);
                try (ResultSet result = statement.executeQuery()) {
                    processed += result.next() ? result.getLong(1) : 0;
                }
            }
        }
        return processed;
    }

    private static final String LEAVE =
            "update ${tables}quarantine set replay = null where replay = ? and consumer <> ?";

    /** Frees the messages of other consumers, which somebody may have chosen by mistake. */
    void leaveOthers(Connection connection, String replay, int consumer) throws SQLException {
        database.dialect(connection).update(connection, tables.fill(LEAVE), statement -> {
            statement.setString(1, replay);
            statement.setInt(2, consumer);
        });
    }

    private static final String COUNT = "select count(*) from ${tables}quarantine where replay = ? and consumer = ?";

    long count(Connection connection, String replay, int consumer) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(COUNT))) {
            statement.setString(1, replay);
            statement.setInt(2, consumer);
            try (ResultSet result = statement.executeQuery()) {
                return result.next() ? result.getLong(1) : 0;
            }
        }
    }

    private static final String PARTITIONS =
            "select distinct place from ${tables}quarantine where replay = ? and consumer = ?";

    List<Partition> partitions(Connection connection, String replay, int consumer) throws SQLException {
        List<Long> places = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(PARTITIONS))) {
            statement.setString(1, replay);
            statement.setInt(2, consumer);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    places.add(result.getLong(1));
                }
            }
        }
        List<Partition> partitions = new ArrayList<>();
        for (long place : places) {
            Position position = database.position(connection, place, 0, Map.of());
            partitions.add(new Partition(position.stream(), position.partition()));
        }
        partitions.sort(Comparator.comparing(Partition::stream).thenComparing(Partition::number));
        return partitions;
    }

    private static final String NEXT = """
            select id_value, generation, record_offset from ${tables}quarantine where replay = ? and consumer = ? and place = ?
            order by record_offset, message_id ${first}
            """;

    List<Item> next(Connection connection, ReplayRows.Row replay, Partition partition, int limit) throws SQLException {
        Position begin = new Position(partition.stream(), partition.number(), 0);
        Map<String, Integer> numbers = new HashMap<>();
        Integer stream = partition.stream().isEmpty()
                ? null
                : database.consumer(connection, partition.stream(), new HashMap<>());
        if (stream != null) {
            numbers.put(partition.stream(), stream);
        } else if (!partition.stream().isEmpty()) {
            return List.of();
        }
        List<Item> items = new ArrayList<>();
        String sql = tables.fill(NEXT)
                .replace("${first}", database.dialect(connection).first(limit));
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, replay.id());
            statement.setInt(2, replay.consumer());
            statement.setLong(3, Names.place(begin, numbers));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    MessageId id =
                            new MessageId(replay.replay().request().selection().consumer(), row.getString(1));
                    Position position = stream == null
                            ? Position.UNKNOWN
                            : new Position(partition.stream(), partition.number(), row.getLong(3));
                    items.add(new Item(id, row.getLong(2), position));
                }
            }
        }
        return items;
    }
}

package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineGroups;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.StoredId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds chosen rows of the table of quarantined messages, without bytes. It goes from partition to partition, in the order of their names, which the rows
 * do not contain, and reads each one by the index on consumer, place and offset. Used by one transaction.
 */
final class QuarantineSearch {

    private static final int PAGE = 500;

    private final Connection connection;
    private final StoreDatabase database;
    private final Tables tables;
    private final QuarantineSelection selection;
    private final Map<String, Integer> proposed;
    private final @Nullable Integer consumer;
    private final QuarantineCondition condition;

    /** A partition with chosen rows. */
    private record Place(long number, Position begin) {}

    /**
     * A row.
     *
     * @param member the replay in the row, which may have ended
     * @param origin where its bytes come from
     */
    record Found(
            MessageKey key,
            QuarantineSummary summary,
            @Nullable String member,
            Payload.Origin origin) {}

    /** @param proposed the names that the running transaction has proposed */
    QuarantineSearch(
            Connection connection,
            StoreDatabase database,
            Tables tables,
            QuarantineSelection selection,
            Map<String, Integer> proposed)
            throws SQLException {
        this.connection = connection;
        this.database = database;
        this.tables = tables;
        this.selection = selection;
        this.proposed = proposed;
        this.consumer = database.consumer(connection, selection.consumer(), proposed);
        this.condition = new QuarantineCondition(selection, database.dialect(connection));
    }

    /** Returns up to {@code limit} chosen rows after a delivery, in the order of topic, partition, offset and key. */
    List<Found> page(Optional<Delivery> after, int limit) throws SQLException {
        List<Found> page = new ArrayList<>();
        if (consumer == null) {
            return page;
        }
        Comparator<Position> order = Comparator.comparing(Position::stream).thenComparing(Position::partition);
        for (Place place : places()) {
            int side = after.isEmpty()
                    ? 1
                    : order.compare(place.begin(), after.get().position());
            if (page.size() < limit && side >= 0) {
                read(place, side == 0 ? after : Optional.empty(), limit, page);
            }
        }
        return page;
    }

    /**
     * The rows that a replay would take.
     *
     * @param free the chosen rows that belong to no running replay, up to the limit of the selection
     * @param others how many chosen rows belong to other running replays, by the id of these
     */
    record Chosen(List<Found> free, Map<String, Long> others) {}

    Chosen chosen() throws SQLException {
        Chosen chosen = new Chosen(new ArrayList<>(), new TreeMap<>());
        List<Found> page = page(Optional.empty(), PAGE);
        while (!page.isEmpty()) {
            for (Found found : page) {
                Optional<String> other = found.summary().replay();
                if (other.isPresent()) {
                    chosen.others().merge(other.get(), 1L, Long::sum);
                } else if (chosen.free().size() < selection.limit()) {
                    chosen.free().add(found);
                }
            }
            Delivery last = page.get(page.size() - 1).summary().delivery();
            boolean isEnough = page.size() < PAGE || chosen.free().size() >= selection.limit();
            page = isEnough ? List.of() : page(Optional.of(last), PAGE);
        }
        return chosen;
    }

    private static final String PLACES = "select distinct place from ${tables}quarantine where consumer = ?";

    private List<Place> places() throws SQLException {
        List<Long> numbers = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(PLACES))) {
            statement.setInt(1, consumer == null ? 0 : consumer);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    numbers.add(result.getLong(1));
                }
            }
        }
        Map<Long, String> streams = new HashMap<>();
        List<Place> places = new ArrayList<>();
        for (long number : numbers) {
            String stream = streams.get(number >> 32);
            if (stream == null) {
                stream = database.position(connection, number, 0, proposed).stream();
                streams.put(number >> 32, stream);
            }
            Position begin = number < 0 ? Position.UNKNOWN : new Position(stream, (int) number, 0);
            if (isChosen(begin)) {
                places.add(new Place(number, begin));
            }
        }
        places.sort(Comparator.comparing((Place place) -> place.begin().stream())
                .thenComparing(place -> place.begin().partition()));
        return places;
    }

    private boolean isChosen(Position begin) {
        return selection.stream().filter(name -> !name.equals(begin.stream())).isEmpty()
                && selection
                        .partition()
                        .filter(number -> number != begin.partition())
                        .isEmpty();
    }

    /** The replay that is still running is read by a query of its own, which no clause for a current read reaches. */
    static final String RUNNING_REPLAY = """
            (select r.id from ${tables}replay r
                where r.id = q.replay and r.consumer = q.consumer and r.status in ('RUNNING', 'PAUSED'))""";

    private static final String PAGE_OF_PLACE = """
            select q.message_id, q.id_value, q.record_offset, q.record_timestamp, q.failure_type, q.failure_group, q.attempts, q.behind, q.origin,
                q.first_at_micros, q.at_micros, q.replay, ${running}
            from ${tables}quarantine q where q.consumer = ? and q.place = ? ${condition} ${after}
            order by q.record_offset, q.message_id ${first}
            """.replace("${running}", RUNNING_REPLAY);

    /** The first condition alone is one that an index serves. */
    private static final String AFTER =
            "and q.record_offset >= ? and (q.record_offset > ? or (q.record_offset = ? and q.message_id > ?))";

    private void read(Place place, Optional<Delivery> after, int limit, List<Found> page) throws SQLException {
        Dialect dialect = database.dialect(connection);
        String sql = tables.fill(PAGE_OF_PLACE)
                .replace("${condition}", condition.sql())
                .replace("${after}", after.isEmpty() ? "" : AFTER)
                .replace("${first}", dialect.first(limit - page.size()));
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            int at = 1;
            statement.setInt(at++, consumer == null ? 0 : consumer);
            statement.setLong(at++, place.number());
            at = condition.set(statement, at);
            if (after.isPresent()) {
                statement.setLong(at++, after.get().position().offset());
                statement.setLong(at++, after.get().position().offset());
                statement.setLong(at++, after.get().position().offset());
                statement.setObject(at, dialect.id(StoredId.of(after.get().id().value())));
            }
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    page.add(found(row, place));
                }
            }
        }
    }

    private Found found(ResultSet row, Place place) throws SQLException {
        Position begin = place.begin();
        MessageId id = new MessageId(selection.consumer(), row.getString(2));
        Position position =
                place.number() < 0 ? Position.UNKNOWN : new Position(begin.stream(), begin.partition(), row.getLong(3));
        QuarantineSummary summary = new QuarantineSummary(
                new Delivery(id, position, row.getLong(4)),
                StoredTime.instant(row.getLong(10)),
                StoredTime.instant(row.getLong(11)),
                row.getString(5),
                row.getString(6),
                row.getInt(7),
                row.getInt(8) != 0,
                Optional.ofNullable(row.getString(13)));
        return new Found(
                new MessageKey(consumer == null ? 0 : consumer, StoredId.of(id.value())),
                summary,
                row.getString(12),
                Payload.Origin.valueOf(row.getString(9)));
    }

    private static final String COUNT = """
            select q.place, q.failure_type, q.failure_group, count(*), min(q.first_at_micros) from ${tables}quarantine q
            where q.consumer = ? ${condition} group by q.place, q.failure_type, q.failure_group
            """;

    /** Counts the chosen rows, whatever the limit of the selection. */
    QuarantineCount count() throws SQLException {
        Map<String, Long> types = new HashMap<>();
        Map<String, Long> groups = new HashMap<>();
        long messages = 0;
        long oldest = Long.MAX_VALUE;
        List<Long> places = consumer == null
                ? List.of()
                : places().stream().map(Place::number).toList();
        try (PreparedStatement statement =
                connection.prepareStatement(tables.fill(COUNT).replace("${condition}", condition.sql()))) {
            statement.setInt(1, consumer == null ? 0 : consumer);
            condition.set(statement, 2);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    if (places.contains(row.getLong(1))) {
                        messages += row.getLong(4);
                        types.merge(row.getString(2), row.getLong(4), Long::sum);
                        groups.merge(row.getString(3), row.getLong(4), Long::sum);
                        oldest = Math.min(oldest, row.getLong(5));
                    }
                }
            }
        }
        Optional<Instant> since = messages == 0 ? Optional.empty() : Optional.of(StoredTime.instant(oldest));
        return new QuarantineCount(messages, types, groups, since);
    }

    /** Counts the chosen rows by group, type and hour. */
    QuarantineGroups groups(long now) throws SQLException {
        boolean isEverywhere = selection.stream().isEmpty();
        List<Long> places = consumer == null || isEverywhere
                ? List.of()
                : places().stream().map(Place::number).toList();
        return consumer == null || (places.isEmpty() && !isEverywhere)
                ? new QuarantineGroups()
                : new QuarantineGrouping(tables, condition).of(connection, consumer, places, now);
    }
}

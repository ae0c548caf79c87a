package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineStore.Follower;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Asks the table of quarantined messages for keys. Immutable and thread-safe. */
final class QuarantineKeys {

    private final Tables tables;
    private final StoreDatabase database;

    QuarantineKeys(Tables tables, StoreDatabase database) {
        this.tables = tables;
        this.database = database;
    }

    /** A connection, and the numbers of names that its transaction has proposed. */
    record Session(Connection connection, Map<String, Integer> proposed) {}

    private record Place(int consumer, long number) {}

    /** Returns the place of a position; null if no message there was ever stored for the consumer. */
    private @Nullable Place place(Session session, String consumer, Position position) throws SQLException {
        Integer consumerNumber = database.consumer(session.connection(), consumer, session.proposed());
        Integer stream = database.consumer(session.connection(), position.stream(), session.proposed());
        return consumerNumber == null || stream == null
                ? null
                : new Place(consumerNumber, Names.place(position, Map.of(position.stream(), stream)));
    }

    private static final String HASHES = """
            select distinct key_hash from ${tables}quarantine where consumer = ? and place = ? and key_hash <> 0
            ${first}
            """;

    Set<Long> hashes(Session session, String consumer, Position position, int limit) throws SQLException {
        Set<Long> hashes = new HashSet<>();
        Place place = place(session, consumer, position);
        if (place != null) {
            try (PreparedStatement statement = prepare(session, HASHES, limit)) {
                statement.setInt(1, place.consumer());
                statement.setLong(2, place.number());
                try (ResultSet result = statement.executeQuery()) {
                    while (result.next()) {
                        hashes.add(result.getLong(1));
                    }
                }
            }
        }
        return hashes;
    }

    private static final String LAST_BEFORE = """
            select id_value, record_offset, record_timestamp from ${tables}quarantine
            where consumer = ? and place = ? and key_hash = ? and record_offset < ? order by record_offset desc
            ${first}
            """;

    Optional<Delivery> lastBefore(Session session, String consumer, Position position, long keyHash)
            throws SQLException {
        Place place = place(session, consumer, position);
        if (place == null) {
            return Optional.empty();
        }
        try (PreparedStatement statement = prepare(session, LAST_BEFORE, 1)) {
            statement.setInt(1, place.consumer());
            statement.setLong(2, place.number());
            statement.setLong(3, keyHash);
            statement.setLong(4, position.offset());
            try (ResultSet result = statement.executeQuery()) {
                return result.next()
                        ? Optional.of(new Delivery(
                                new MessageId(consumer, result.getString(1)),
                                new Position(position.stream(), position.partition(), result.getLong(2)),
                                result.getLong(3)))
                        : Optional.empty();
            }
        }
    }

    private static final String COUNT_BEHIND = """
            select count(*) from ${tables}quarantine
            where consumer = ? and place = ? and key_hash = ? and record_offset > ? and behind = 1
            """;

    long countBehind(Session session, String consumer, Position position, long keyHash) throws SQLException {
        Place place = place(session, consumer, position);
        if (place == null) {
            return 0;
        }
        try (PreparedStatement statement = session.connection().prepareStatement(tables.fill(COUNT_BEHIND))) {
            statement.setInt(1, place.consumer());
            statement.setLong(2, place.number());
            statement.setLong(3, keyHash);
            statement.setLong(4, position.offset());
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getLong(1);
            }
        }
    }

    private static final String FREE_FOLLOWERS = """
            select q.id_value, q.generation, q.place, q.record_offset from ${tables}quarantine q
            join (select place, key_hash, min(record_offset) as first_offset from ${tables}quarantine
                where consumer = ? and key_hash <> 0 group by place, key_hash) head
                on head.place = q.place and head.key_hash = q.key_hash and head.first_offset = q.record_offset
            where q.consumer = ? and q.behind = 1 and not exists ${running} order by q.place, q.record_offset
            ${first}
            """.replace("${running}", QuarantineSearch.RUNNING_REPLAY);

    List<Follower> freeFollowers(Session session, String consumer, int limit) throws SQLException {
        List<Follower> followers = new ArrayList<>();
        Integer number = database.consumer(session.connection(), consumer, session.proposed());
        if (number != null) {
            try (PreparedStatement statement = prepare(session, FREE_FOLLOWERS, limit)) {
                statement.setInt(1, number);
                statement.setInt(2, number);
                try (ResultSet result = statement.executeQuery()) {
                    while (result.next()) {
                        followers.add(new Follower(
                                new MessageId(consumer, result.getString(1)),
                                result.getLong(2),
                                database.position(
                                        session.connection(),
                                        result.getLong(3),
                                        result.getLong(4),
                                        session.proposed())));
                    }
                }
            }
        }
        return followers;
    }

    private PreparedStatement prepare(Session session, String sql, int limit) throws SQLException {
        Connection connection = session.connection();
        return connection.prepareStatement(tables.fill(sql)
                .replace("${first}", database.dialect(connection).first(limit)));
    }
}

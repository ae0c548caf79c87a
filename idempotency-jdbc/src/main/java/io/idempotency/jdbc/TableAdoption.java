package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Printable;
import io.idempotency.store.StoredId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;

/** Inserts messages that were processed before this library knew them, as rows without a position. Used by one thread. */
final class TableAdoption {

    private static final Logger LOG = Loggers.ADOPTION;

    /** How many consumers an error names. */
    private static final int NAMED = 3;

    private record Consumer(int number, long retentionMicros) {}

    private final Connections connections;
    private final StoreDatabase database;
    private final Retentions retentions;
    private final Optional<Duration> retention;
    private final int maxConsumers;

    /** In the order of the rows. */
    private final Map<String, Consumer> consumers = new LinkedHashMap<>();

    /** @param retention the retention of the adopted consumers, if it is set */
    TableAdoption(Connections connections, MessageTable table, Optional<Duration> retention, int maxConsumers) {
        this.connections = connections;
        this.database = table.database();
        this.retentions = table.retentions();
        this.retention = retention;
        this.maxConsumers = maxConsumers;
    }

    /**
     * Adopts the messages of the rows in one transaction, and returns the sum. The same call may be repeated after any failure.
     *
     * @throws IdempotencyException if there are too many consumers by now; then nothing of these rows is written
     */
    Adopted adopt(List<AdoptedRow> rows, Adopted before) {
        Set<String> names = new LinkedHashSet<>(consumers.keySet());
        rows.forEach(row -> names.add(row.id().consumer()));
        if (names.size() > maxConsumers) {
            throw new IdempotencyException(
                    "The rows have " + names.size() + " different consumers by now, the first ones: "
                            + names.stream().limit(NAMED).map(Printable::of).collect(Collectors.joining(", "))
                            + ". Check the order of the columns: consumer, message id and time. If these are consumers, set maxConsumers(..)");
        }
        names.removeAll(consumers.keySet());
        names.forEach(name -> consumers.put(name, prepare(name)));
        return connections.alone("adopt messages", connection -> adopt(connection, rows, before));
    }

    /** Stores name and retention of a consumer, each in a transaction of its own. */
    private Consumer prepare(String name) {
        int number = connections.alone("store the name of an adopted consumer", connection -> {
            Map<String, Integer> proposed = new HashMap<>();
            Integer numbered =
                    database.numbers(connection, Set.of(name), proposed).get(name);
            if (!proposed.isEmpty()) {
                LOG.warn(
                        "No application has used the consumer {} with these tables yet. Its ids are adopted; check that the name is right",
                        name);
            }
            database.storeNames(connection, proposed);
            return Objects.requireNonNull(numbered);
        });
        return new Consumer(number, retentions.given(connections, name, retention));
    }

    private Adopted adopt(Connection connection, List<AdoptedRow> rows, Adopted before) throws SQLException {
        MessageDialect dialect = database.messages(connection);
        PurgeClock clock = PurgeClock.of(dialect.now(connection));
        SortedMap<MessageKey, MessageRow> young = new TreeMap<>();
        int old = 0;
        for (AdoptedRow row : rows) {
            Consumer consumer = Objects.requireNonNull(consumers.get(row.id().consumer()));
            long at = row.atMicros() == AdoptedRow.UNKNOWN ? clock.earlier() : row.atMicros();
            if (at < clock.earlier() - consumer.retentionMicros()) {
                old++;
                continue;
            }
            MessageKey key =
                    new MessageKey(consumer.number(), StoredId.of(row.id().value()));
            young.merge(key, adopted(key, at, clock), (first, second) -> first.at() >= second.at() ? first : second);
        }
        MessageDialect.Inserted inserted = young.isEmpty()
                ? new MessageDialect.Inserted(0, 0)
                : dialect.adopt(connection, new ArrayList<>(young.values()));
        return new Adopted(
                before.read() + rows.size(),
                before.adopted() + inserted.adopted(),
                before.known() + rows.size() - old - inserted.adopted(),
                before.unsettled() + inserted.unsettled(),
                before.old() + old,
                rows.get(rows.size() - 1).text());
    }

    private static MessageRow adopted(MessageKey key, long at, PurgeClock clock) {
        return new MessageRow(key, at, MessageState.processed(1, 0), -1, Names.UNKNOWN_PLACE, clock.later(), false);
    }
}

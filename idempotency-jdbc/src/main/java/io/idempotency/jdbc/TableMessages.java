package io.idempotency.jdbc;

import io.idempotency.store.ConflictException;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.StoredId;
import io.idempotency.store.StoredMessage;
import io.idempotency.store.StoredMessages;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/** The rows of messages, for operators. */
final class TableMessages implements StoredMessages {

    private final JdbcTransactions transactions;
    private final Connections connections;
    private final MessageTable table;
    private final StoreDatabase database;
    private final Tables tables;
    private final TableRanges ranges;
    private final ResultRows results;

    TableMessages(JdbcTransactions transactions, Connections connections, MessageTable table, Tables tables) {
        this.transactions = transactions;
        this.connections = connections;
        this.table = table;
        this.database = table.database();
        this.tables = tables;
        this.ranges = new TableRanges(database, tables);
        this.results = new ResultRows(tables);
    }

    @Override
    public Optional<StoredMessage> look(MessageId id) {
        Map<String, Integer> proposed =
                transactions.isActive() ? ActiveTransaction.of(database).proposedNames() : new HashMap<>();
        return connections.onCurrent("look for a message", connection -> {
            MessageKey key = key(connection, id, proposed);
            Optional<MessageRow> row = key == null ? Optional.empty() : table.find(connection, key);
            return row.isPresent() ? Optional.of(stored(connection, row.get(), proposed)) : Optional.empty();
        });
    }

    private StoredMessage stored(Connection connection, MessageRow row, Map<String, Integer> proposed)
            throws SQLException {
        return new StoredMessage(
                status(row.state()),
                database.position(connection, row.place(), row.offset(), proposed),
                StoredTime.instant(row.until()),
                Duration.of(row.now() - row.until(), ChronoUnit.MICROS),
                row.state().attempt());
    }

    private static MessageStatus status(MessageState state) {
        return switch (state.status()) {
            case LEASED -> state.isUnproved() ? MessageStatus.UNPROVED : MessageStatus.LEASED;
            case RELEASED -> MessageStatus.RELEASED;
            case PROCESSED ->
                state.isDropped()
                        ? MessageStatus.DROPPED
                        : state.isExpired() ? MessageStatus.EXPIRED : MessageStatus.PROCESSED;
            case QUARANTINED -> MessageStatus.QUARANTINED;
        };
    }

    private static final String FORGOTTEN = "select max(at_micros) from ${tables}horizon where consumer = n.id";

    @Override
    public Retained retained(String consumer) {
        return connections.onCurrent(
                "read a retention",
                connection -> table.retentions().retained(connection, consumer, FORGOTTEN, database.now(connection)));
    }

    @Override
    public SortedSet<String> consumers() {
        return connections.onCurrent("read the names of consumers", table.retentions()::consumers);
    }

    @Override
    public boolean drop(Delivery delivery) {
        Optional<String> refused = connections.joining("drop a message", connection -> {
            ActiveTransaction active = activeTransaction();
            active.dependOn(each -> connections.onCurrent("store names", last -> {
                database.storeNames(last, each.proposedNames());
                return true;
            }));
            MessageArrival arrival = table.lookup(connection, List.of(delivery), active.proposedNames())
                    .all()
                    .iterator()
                    .next();
            MessageState state = MessageState.processed(1, 0).dropped();
            boolean isInserted = database.messages(connection).insert(connection, List.of(arrival), state, 0).stream()
                    .anyMatch(MessageRow::isGranted);
            return isInserted ? Optional.of("") : drop(connection, active, delivery, arrival.key());
        });
        if (refused.isPresent() && !refused.get().isEmpty()) {
            throw new ConflictException(refused.get());
        }
        return refused.isPresent();
    }

    private static final String DROP = """
            update ${tables}message set at_micros = ?, state = ?
            where consumer = ? and message_id = ? and at_micros = ? and state = ?
            """;

    /** Returns an empty text if the message is dropped now, why it cannot be dropped, or nothing if it is processed. */
    private Optional<String> drop(Connection connection, ActiveTransaction active, Delivery delivery, MessageKey key)
            throws SQLException {
        MessageRow row = table.find(connection, key)
                .orElseThrow(() -> new TransientStoreException(
                        "Another transaction changes " + delivery + ", which is to be dropped; run it again"));
        MessageState state = row.state();
        if (state.status() == MessageState.Status.PROCESSED) {
            return state.isDropped() ? Optional.of("") : Optional.empty();
        }
        if (state.status() == MessageState.Status.LEASED && !row.isFree()) {
            return Optional.of("A handler works on " + delivery + " until " + StoredTime.instant(row.until())
                    + ", so it cannot be dropped now");
        }
        Dialect dialect = database.dialect(connection);
        int changed = dialect.update(connection, tables.fill(DROP), statement -> {
            statement.setLong(1, Math.max(row.now(), row.at()));
            statement.setInt(2, state.dropped().packed());
            statement.setInt(3, key.consumer());
            statement.setObject(4, dialect.id(key.id()));
            statement.setLong(5, row.at());
            statement.setInt(6, state.packed());
        });
        if (changed == 0) {
            throw new TransientStoreException(
                    "Another transaction changed " + delivery + " while it was dropped; run it again");
        }
        active.evidence().deleted(key);
        return Optional.of("");
    }

    private static final String DELETE =
            "delete from ${tables}message where consumer = ? and message_id = ? and state < ?";

    /** Forgets a message, see {@link TableStore#forget}. */
    boolean forget(MessageId id) {
        boolean[] isQuarantined = new boolean[1];
        boolean wasKnown = connections.joining("forget a message", connection -> {
            ActiveTransaction active = activeTransaction();
            MessageKey key = key(connection, id, active.proposedNames());
            if (key == null) {
                return false;
            }
            Dialect dialect = database.dialect(connection);
            int deleted = dialect.update(connection, tables.fill(DELETE), statement -> {
                statement.setInt(1, key.consumer());
                statement.setObject(2, dialect.id(key.id()));
                statement.setInt(3, MessageState.FIRST_QUARANTINED);
            });
            if (deleted > 0) {
                active.evidence().deleted(key);
                database.forgetSettled(connection, key.consumer());
            } else {
                isQuarantined[0] = table.find(connection, key).isPresent();
            }
            if (!isQuarantined[0]) {
                results.forget(connection, dialect, List.of(key));
            }
            return deleted > 0;
        });
        if (isQuarantined[0]) {
            throw SqlFailures.quarantined(id);
        }
        return wasKnown;
    }

    @Override
    public Batch forget(MessageRange range, String after, int limit) {
        return connections.joining(
                "forget messages",
                connection -> ranges.batch(
                        connection, activeTransaction(), new TableRanges.Asked(range, after, limit, true)));
    }

    @Override
    public Batch count(MessageRange range, String after, int limit) {
        return connections.joining(
                "count messages",
                connection -> ranges.batch(
                        connection, activeTransaction(), new TableRanges.Asked(range, after, limit, false)));
    }

    private ActiveTransaction activeTransaction() {
        transactions.requireClaimable();
        return ActiveTransaction.of(database);
    }

    private @Nullable MessageKey key(Connection connection, MessageId id, Map<String, Integer> proposed)
            throws SQLException {
        Integer consumer = database.consumer(connection, id.consumer(), proposed);
        return consumer == null ? null : new MessageKey(consumer, StoredId.of(id.value()));
    }
}

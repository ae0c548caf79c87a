package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Processed;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Claims messages by rows, within the active transaction:
 *
 * <ol>
 *   <li>Insert the absent messages, as claimed. This waits for other transactions that insert them.
 *   <li>Decide about the inserted ones that the purge may have deleted, see {@link TableHorizons}.
 *   <li>Only if some existed: claim the free rows, and read the others.
 *   <li>Answer each delivery by its row. If a message has no row, fail transiently.
 *   <li>Before the commit: prove that this transaction is the one that claimed.
 * </ol>
 */
final class TableClaims implements ActiveTransaction.LastWord {

    private final StoreDatabase database;
    private final MessageTable table;
    private final TableHorizons horizons;
    private final Connections connections;

    TableClaims(MessageTable table, TableHorizons horizons, Connections connections) {
        this.database = table.database();
        this.table = table;
        this.horizons = horizons;
        this.connections = connections;
    }

    List<Claim> claim(ActiveTransaction active, List<Delivery> deliveries) {
        try {
            return connections.onCurrent("claim messages", connection -> claim(connection, active, deliveries));
        } catch (RuntimeException | Error e) {
            active.spoil("a claim in it failed");
            throw e;
        }
    }

    /** Makes the commit of the active transaction depend on the stored names and the proof. */
    void prove(ActiveTransaction active) {
        active.dependOn(this);
    }

    private List<Claim> claim(Connection connection, ActiveTransaction active, List<Delivery> deliveries)
            throws SQLException {
        MessageDialect dialect = database.messages(connection);
        database.lookAtIsolation(connection);
        prove(active);
        MessageLookup lookup = table.lookup(connection, deliveries, active.proposedNames());
        List<MessageArrival> arrivals = List.copyOf(lookup.all());
        List<MessageRow> inserted = dialect.claim(connection, arrivals, active.evidence());
        Set<MessageKey> skipped = horizons.skipped(connection, lookup, inserted);
        if (skipped.isEmpty() && arrivals.size() == deliveries.size() && isAllGranted(inserted, arrivals)) {
            active.evidence().add(inserted);
            return Claim.granted(deliveries);
        }
        database.requireCommittedReads(connection);
        Map<MessageKey, MessageRow> rows = new HashMap<>();
        inserted.forEach(row -> rows.put(row.key(), row));
        List<MessageArrival> rest = arrivals.stream()
                .filter(arrival -> !MessageRow.isAnswered(rows.get(arrival.key())))
                .toList();
        if (!rest.isEmpty()) {
            dialect.takeOver(connection, rest, active.evidence()).forEach(row -> rows.put(row.key(), row));
        }
        List<Claim> answers = answers(connection, lookup, rows, skipped, active);
        active.evidence()
                .add(rows.values().stream().filter(MessageRow::isGranted).toList());
        return answers;
    }

    private static boolean isAllGranted(List<MessageRow> known, List<MessageArrival> arrivals) {
        if (known.size() != arrivals.size()) {
            return false;
        }
        for (MessageRow row : known) {
            if (!row.isGranted()) {
                return false;
            }
        }
        return true;
    }

    private List<Claim> answers(
            Connection connection,
            MessageLookup lookup,
            Map<MessageKey, MessageRow> rows,
            Set<MessageKey> skipped,
            ActiveTransaction active)
            throws SQLException {
        List<Claim> answers = new ArrayList<>(lookup.deliveries().size());
        Set<MessageKey> answered = new HashSet<>();
        for (int i = 0; i < lookup.deliveries().size(); i++) {
            Delivery delivery = lookup.deliveries().get(i);
            MessageKey key = lookup.keys().get(i);
            MessageRow row = rows.get(key);
            if (row == null || !MessageRow.isAnswered(row)) {
                throw new TransientStoreException(
                        "Another transaction changed " + delivery + " while it was claimed; run it again");
            }
            if (skipped.contains(key)) {
                answers.add(Claim.duplicate(delivery, Optional.empty()));
                continue;
            }
            boolean isFirst = answered.add(key);
            answers.add(
                    isFirst && row.isGranted() ? Claim.granted(delivery) : answer(connection, delivery, row, active));
        }
        return answers;
    }

    private Claim answer(Connection connection, Delivery delivery, MessageRow row, ActiveTransaction active)
            throws SQLException {
        Map<String, Integer> names = active.proposedNames();
        if (row.isGranted() || (row.state().isUnproved() && active.evidence().isClaimed(row))) {
            return Claim.duplicate(delivery, Optional.of(processed(connection, row, names)));
        }
        return switch (row.state().status()) {
            case PROCESSED -> Claim.duplicate(delivery, Optional.of(processed(connection, row, names)));
            case QUARANTINED -> Claim.quarantined(delivery, Optional.of(processed(connection, row, names)));
            case LEASED, RELEASED -> Claim.inProgress(delivery, row.state().attempt(), StoredTime.instant(row.until()));
        };
    }

    /** Marks the rows of claims of the active transaction as those of expired messages. Leases are left out. */
    void expire(Connection connection, ActiveTransaction active, List<Claim> claims) throws SQLException {
        List<Delivery> deliveries = claims.stream()
                .filter(claim -> !claim.isLease())
                .map(Claim::delivery)
                .toList();
        Set<MessageKey> keys = Set.copyOf(
                table.lookup(connection, deliveries, active.proposedNames()).keys());
        List<MessageRow> expired = active.evidence().claimed().stream()
                .filter(row -> keys.contains(row.key()))
                .map(row -> row.with(row.state().expired(), row.at()))
                .sorted(Comparator.comparing(MessageRow::key))
                .toList();
        table.update(connection, expired);
        expired.forEach(row -> active.evidence().settled(row.key(), row.at()));
    }

    private Processed processed(Connection connection, MessageRow row, Map<String, Integer> names) throws SQLException {
        Processed processed = table.processed(connection, row, names);
        return row.isGranted() ? new Processed(processed.position(), processed.at(), Duration.ZERO) : processed;
    }

    @Override
    public void say(ActiveTransaction active) {
        connections.onCurrent("prove the claim", connection -> {
            database.storeNames(connection, active.proposedNames());
            database.dialect(connection).prove(connection, active, at -> table.settle(at, active.evidence()));
            return true;
        });
    }

    @Override
    public boolean takeBack(ActiveTransaction active) {
        return !active.evidence().claimed().isEmpty()
                && connections.afterwards(
                        "release claims that were committed early",
                        connection -> table.release(connection, active.evidence()) > 0);
    }
}

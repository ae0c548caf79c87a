package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Leases, renews, completes and releases messages, each change in a transaction of its own.
 *
 * <p>A lease is identified by its attempt and its own end. Both are compared under a row lock before anything changes. The end is counted from the end of the
 * wait for others: if a statement waited, its leases are prolonged by that time.
 */
final class TableLeases {

    /** A wait shorter than this part of a lease does not count. */
    private static final long NEGLIGIBLE_PART = 100;

    private final StoreDatabase database;
    private final MessageTable table;
    private final TableHorizons horizons;
    private final Connections connections;

    TableLeases(MessageTable table, TableHorizons horizons, Connections connections) {
        this.database = table.database();
        this.table = table;
        this.horizons = horizons;
        this.connections = connections;
    }

    List<Claim> lease(List<Delivery> deliveries, Duration length) {
        requirePositive(length);
        long began = System.nanoTime();
        return connections.alone("lease messages", connection -> {
            Map<String, Integer> names = new HashMap<>();
            MessageLookup lookup = table.lookup(connection, deliveries, names);
            Map<MessageKey, MessageRow> rows = insertOrLock(connection, lookup, StoredTime.micros(length));
            for (MessageKey skipped : horizons.skipped(connection, lookup, List.copyOf(rows.values()))) {
                rows.computeIfPresent(skipped, (key, row) -> row.with(MessageState.processed(0, 0), row.at()));
            }
            long waited = waitedMicros(began, length);
            rows.replaceAll((key, row) -> row.isGranted() ? row.with(row.state(), row.at() + waited) : row);
            LeaseDecision decision = new LeaseDecision(lookup, rows, StoredTime.micros(length) + waited);
            List<LeaseDecision.Answer> answers = decision.decide();
            write(connection, rows, decision.granted(), waited);
            List<Claim> claims = claims(connection, answers, names);
            database.storeNames(connection, names);
            return claims;
        });
    }

    List<Claim> renew(List<Claim> leased, Duration length) {
        requirePositive(length);
        long began = System.nanoTime();
        return connections.alone("renew leases", connection -> {
            List<LockedLease> held = lock(connection, leased);
            List<Claim> lost = held.stream()
                    .filter(each -> !each.isOwned())
                    .map(LockedLease::claim)
                    .toList();
            if (!lost.isEmpty()) {
                throw new ClaimLostException("renew", lost);
            }
            long ahead = StoredTime.micros(length) + waitedMicros(began, length);
            List<MessageRow> renewed = held.stream()
                    .flatMap(each -> each.found().stream())
                    .map(row -> row.with(row.state(), row.now() + ahead))
                    .toList();
            table.update(connection, renewed);
            List<Claim> claims = new ArrayList<>();
            for (int i = 0; i < leased.size(); i++) {
                claims.add(
                        leased.get(i).renewed(StoredTime.instant(renewed.get(i).at())));
            }
            return claims;
        });
    }

    void complete(List<Claim> leased) {
        finish("complete", leased, MessageState.Status.PROCESSED, UnaryOperator.identity());
    }

    void release(List<Claim> leased) {
        finish("release", leased, MessageState.Status.RELEASED, UnaryOperator.identity());
    }

    void expire(List<Claim> leased) {
        finish("expire", leased, MessageState.Status.PROCESSED, MessageState::expired);
    }

    /** Quarantines a message in the running transaction. Returns false if the claim is a lease that another attempt has taken. */
    boolean quarantine(Connection connection, Claim claim, ActiveTransaction active) throws SQLException {
        MessageLookup lookup = table.lookup(connection, List.of(claim.delivery()), active.proposedNames());
        database.dialect(connection).prepareProof(connection, active.evidence());
        MessageKey key = lookup.keys().get(0);
        MessageRow found = locked(connection, List.of(key)).get(key);
        LockedLease held = new LockedLease(claim, found);
        if (claim.isLease()
                ? !held.isOwned() && !held.isSettledByIt()
                : found != null
                        && !found.state().isSettled()
                        && !active.evidence().isClaimed(found)) {
            return false;
        }
        MessageState state = new MessageState(MessageState.Status.QUARANTINED, claim.attempt(), claim.starts(), 0);
        MessageRow row = found != null ? found : inserted(connection, lookup, state);
        MessageArrival arrival = lookup.all().iterator().next();
        MessageRow quarantined = row.granted(arrival, held.sealed(state, row.now()), row.now());
        table.write(connection, quarantined);
        active.evidence().settled(key, quarantined.at());
        return true;
    }

    private MessageRow inserted(Connection connection, MessageLookup lookup, MessageState state) throws SQLException {
        return database.messages(connection).insert(connection, List.copyOf(lookup.all()), state, 0).stream()
                .filter(MessageRow::isGranted)
                .findFirst()
                .orElseThrow(() -> new TransientStoreException(
                        lookup.deliveries().get(0) + " is being claimed by another transaction; run it again"));
    }

    /** Inserts the absent messages as leased, and locks the free rows, which the insert may only have read. */
    private Map<MessageKey, MessageRow> insertOrLock(Connection connection, MessageLookup lookup, long lengthMicros)
            throws SQLException {
        MessageDialect dialect = database.messages(connection);
        Map<MessageKey, MessageRow> rows = new HashMap<>();
        if (lookup.all().isEmpty()) {
            return rows;
        }
        dialect.insert(connection, List.copyOf(lookup.all()), MessageState.leased(1, 0), lengthMicros)
                .forEach(row -> rows.put(row.key(), row));
        List<MessageKey> rest = lookup.arrivals().keySet().stream()
                .filter(key -> !MessageRow.isAnswered(rows.get(key)))
                .toList();
        if (!rest.isEmpty()) {
            dialect.lock(connection, rest).forEach(row -> rows.put(row.key(), row));
        }
        if (rows.size() < lookup.arrivals().size()) {
            throw new TransientStoreException(
                    "Another transaction changed a message while it was leased; run it again");
        }
        return rows;
    }

    private void write(
            Connection connection, Map<MessageKey, MessageRow> rows, Map<MessageKey, MessageRow> granted, long waited)
            throws SQLException {
        List<MessageRow> changed = new ArrayList<>();
        for (MessageRow row : rows.values()) {
            MessageRow lease = granted.get(row.key());
            if (lease == null && row.isGranted()) {
                table.delete(connection, row.key());
            } else if (lease != null && (waited > 0 || !row.isGranted())) {
                changed.add(lease);
            }
        }
        changed.sort(Comparator.comparing(MessageRow::key));
        table.update(connection, changed);
    }

    private List<Claim> claims(Connection connection, List<LeaseDecision.Answer> answers, Map<String, Integer> names)
            throws SQLException {
        List<Claim> claims = new ArrayList<>();
        for (LeaseDecision.Answer answer : answers) {
            claims.add(claim(connection, answer, names));
        }
        return claims;
    }

    private Claim claim(Connection connection, LeaseDecision.Answer answer, Map<String, Integer> names)
            throws SQLException {
        MessageRow row = answer.row();
        Delivery delivery = answer.delivery();
        if (answer.isLeased()) {
            return Claim.leased(delivery, row.state().attempt(), row.state().starts(), StoredTime.instant(row.at()));
        }
        return switch (row.state().status()) {
            // A row that was inserted now and is processed nevertheless is skipped.
            case PROCESSED ->
                Claim.duplicate(
                        delivery,
                        row.isGranted() ? Optional.empty() : Optional.of(table.processed(connection, row, names)));
            case QUARANTINED -> Claim.quarantined(delivery, Optional.of(table.processed(connection, row, names)));
            case LEASED, RELEASED -> Claim.inProgress(delivery, answer.attempt(), StoredTime.instant(answer.until()));
        };
    }

    private void finish(
            String verb, List<Claim> leased, MessageState.Status status, UnaryOperator<MessageState> finish) {
        List<Claim> lost = connections.alone(verb + " leases", connection -> {
            List<Claim> notOwned = new ArrayList<>();
            List<MessageRow> finished = new ArrayList<>();
            for (LockedLease held : lock(connection, leased)) {
                if (held.isOwned()) {
                    held.found().ifPresent(row -> {
                        MessageRow ended = held.as(status, row);
                        finished.add(ended.with(finish.apply(ended.state()), ended.at()));
                    });
                } else if (!held.isFinished(status)) {
                    notOwned.add(held.claim());
                }
            }
            table.update(connection, finished);
            return notOwned;
        });
        if (!lost.isEmpty()) {
            throw new ClaimLostException(verb, lost);
        }
    }

    private static void requirePositive(Duration length) {
        if (length.isNegative() || length.isZero()) {
            throw new IdempotencyException("The length of a lease must be positive, not " + length);
        }
    }

    private List<LockedLease> lock(Connection connection, List<Claim> leased) throws SQLException {
        for (Claim claim : leased) {
            if (!claim.isLease()) {
                throw new IdempotencyException("Not a lease: " + claim);
            }
        }
        List<Delivery> deliveries = leased.stream().map(Claim::delivery).toList();
        MessageLookup lookup = table.lookup(connection, deliveries, new HashMap<>());
        Map<MessageKey, MessageRow> rows =
                locked(connection, List.copyOf(lookup.arrivals().keySet()));
        List<LockedLease> held = new ArrayList<>();
        for (int i = 0; i < leased.size(); i++) {
            held.add(new LockedLease(leased.get(i), rows.get(lookup.keys().get(i))));
        }
        return held;
    }

    private Map<MessageKey, MessageRow> locked(Connection connection, List<MessageKey> keys) throws SQLException {
        Map<MessageKey, MessageRow> rows = new HashMap<>();
        if (!keys.isEmpty()) {
            database.messages(connection).lock(connection, keys).forEach(row -> rows.put(row.key(), row));
        }
        return rows;
    }

    private static long waitedMicros(long beganNanos, Duration length) {
        long waited = (System.nanoTime() - beganNanos) / 1000;
        return waited > StoredTime.micros(length) / NEGLIGIBLE_PART ? waited : 0;
    }
}

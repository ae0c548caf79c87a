package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Processed;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Claims within the active transaction:
 *
 * <ol>
 *   <li>Insert what is absent, as processed. This waits for others that are inserting the same.
 *   <li>Only if some were there: take over what is free, and read the rest.
 *   <li>Answer each delivery by its row; a message without a row is nobody's, and the transaction is to be run again.
 *   <li>Before the commit: prove that this transaction is the one that did all this.
 * </ol>
 */
final class Claiming {

    static final String NOT_THE_SAME =
            "The transaction that claimed is not the one that is about to commit: it was rolled back or committed meanwhile,"
                    + " probably because a handler caught a database error, or rolled back to a savepoint, and went on";

    private final MessageTable table;
    private final Connections connections;

    Claiming(MessageTable table, Connections connections) {
        this.table = table;
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

    /** Makes the commit of the active transaction depend on its names being stored, and on the proof. */
    void prove(ActiveTransaction active) {
        active.dependOn(this::sayLastWord);
    }

    private List<Claim> claim(Connection connection, ActiveTransaction active, List<Delivery> deliveries)
            throws SQLException {
        Dialect dialect = table.dialect(connection);
        table.lookAtIsolation(connection);
        prove(active);
        Asked asked = table.asked(connection, deliveries, active.proposedNames());
        List<Arrival> arrivals = List.copyOf(asked.all());
        Dialect.Known inserted = dialect.claim(connection, arrivals, active.evidence());
        if (arrivals.size() == deliveries.size() && isAllGranted(inserted, arrivals)) {
            Row first = inserted.rows().get(0);
            active.evidence().add(inserted.grant());
            active.evidence().add(first.key(), first.at());
            return deliveries.stream().map(Claim::granted).toList();
        }
        table.requireCommittedReads(connection);
        Map<MessageKey, Row> rows = new HashMap<>();
        inserted.rows().forEach(row -> rows.put(row.key(), row));
        List<Arrival> rest = arrivals.stream()
                .filter(arrival -> !Row.isAnswered(rows.get(arrival.key())))
                .toList();
        String grant = inserted.grant();
        if (!rest.isEmpty()) {
            Dialect.Known known = dialect.takeOver(connection, rest);
            known.rows().forEach(row -> rows.put(row.key(), row));
            grant = grant != null ? grant : known.grant();
        }
        Optional<Row> granted = rows.values().stream().filter(Row::isGranted).findFirst();
        if (granted.isPresent()) {
            active.evidence().add(grant);
            active.evidence().add(granted.get().key(), granted.get().at());
        }
        return answers(connection, asked, rows, active.proposedNames());
    }

    private static boolean isAllGranted(Dialect.Known known, List<Arrival> arrivals) {
        return known.rows().size() == arrivals.size() && known.rows().stream().allMatch(Row::isGranted);
    }

    private List<Claim> answers(
            Connection connection, Asked asked, Map<MessageKey, Row> rows, Map<String, Integer> names)
            throws SQLException {
        List<Claim> answers = new ArrayList<>(asked.deliveries().size());
        Set<MessageKey> answered = new HashSet<>();
        for (int i = 0; i < asked.deliveries().size(); i++) {
            Delivery delivery = asked.deliveries().get(i);
            MessageKey key = asked.keys().get(i);
            Row row = rows.get(key);
            if (row == null || !Row.isAnswered(row)) {
                throw new TransientStoreException(
                        "The claim of " + delivery + " met another transaction that changed it; run it again");
            }
            boolean isFirst = answered.add(key);
            answers.add(
                    isFirst && row.isGranted() ? Claim.granted(delivery) : answer(connection, delivery, row, names));
        }
        return answers;
    }

    private Claim answer(Connection connection, Delivery delivery, Row row, Map<String, Integer> names)
            throws SQLException {
        return switch (row.state().status()) {
            case PROCESSED -> Claim.duplicate(delivery, Optional.of(processed(connection, row, names)));
            case QUARANTINED -> Claim.quarantined(delivery, Optional.of(processed(connection, row, names)));
            case LEASED, RELEASED -> Claim.inProgress(delivery, row.state().attempt(), MessageTable.instant(row.at()));
        };
    }

    private Processed processed(Connection connection, Row row, Map<String, Integer> names) throws SQLException {
        Processed processed = table.processed(connection, row, names);
        return row.isGranted() ? new Processed(processed.position(), processed.at(), Duration.ZERO) : processed;
    }

    private void sayLastWord(ActiveTransaction active) {
        boolean isSame = connections.onCurrent("prove the claim", connection -> {
            table.storeNames(connection, active.proposedNames());
            return table.dialect(connection).isSame(connection, active.evidence());
        });
        if (!isSame) {
            throw new TransactionLostException(NOT_THE_SAME);
        }
    }
}

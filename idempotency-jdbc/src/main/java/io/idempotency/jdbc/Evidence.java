package io.idempotency.jdbc;

import java.sql.Savepoint;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a transaction keeps in order to prove, before it commits, that it is still the one that claimed. */
final class Evidence {

    private final Deque<Savepoint> savepoints = new ArrayDeque<>();
    private final Map<MessageKey, Long> rows = new LinkedHashMap<>();
    private @Nullable String transactionId;

    /** Keeps the first row that a claim was granted: with it, all of that claim are there or gone. */
    void add(@Nullable String grantedBy, MessageKey key, long at) {
        add(grantedBy);
        rows.put(key, at);
    }

    /** Keeps the id of the transaction that claimed. */
    void add(@Nullable String grantedBy) {
        if (transactionId == null) {
            transactionId = grantedBy;
        }
    }

    /** Keeps a savepoint that was set just before a claim. */
    void add(Savepoint savepoint) {
        savepoints.push(savepoint);
    }

    /** No longer expects a row that this transaction itself deleted. */
    void deleted(MessageKey key) {
        rows.remove(key);
    }

    Map<MessageKey, Long> rows() {
        return rows;
    }

    /** Returns the savepoints, the newest first. */
    Deque<Savepoint> savepoints() {
        return savepoints;
    }

    /** Returns the id of the transaction that claimed; none if nothing was granted or the database does not tell. */
    @Nullable
    String transactionId() {
        return transactionId;
    }
}

package io.idempotency.jdbc;

import java.sql.Savepoint;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a transaction keeps in order to prove, before it commits, that it is still the one that claimed. */
final class Evidence {

    private final Deque<Savepoint> savepoints;
    private final Map<MessageKey, Long> rows = new LinkedHashMap<>();
    private final Set<String> grants = new LinkedHashSet<>();

    Evidence() {
        this(new ArrayDeque<>());
    }

    private Evidence(Deque<Savepoint> savepoints) {
        this.savepoints = savepoints;
    }

    /** Returns that of another owner in the same transaction: they have their savepoints together, for to release one is to lose all behind it. */
    Evidence ofAnother() {
        return new Evidence(savepoints);
    }

    /** Keeps the first row that a claim was granted: with it, all of that claim are there or gone. */
    void add(MessageKey key, long at) {
        rows.put(key, at);
    }

    /** Keeps what the database knows the transaction by, or the claim. */
    void add(@Nullable String grant) {
        if (grant != null) {
            grants.add(grant);
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

    /** Returns what the database knows the transaction by, or its claims in their order; none if nothing was granted or it needs none. */
    Set<String> grants() {
        return grants;
    }
}

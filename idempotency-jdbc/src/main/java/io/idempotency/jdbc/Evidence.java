package io.idempotency.jdbc;

import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Evidence of a transaction's claims. Before the commit it proves that the transaction is still the one that claimed. Each owner has its own rows; all
 * owners share the marks by which the database recognises the transaction.
 */
final class Evidence {

    /** The message of a failed proof. */
    static final String NOT_THE_SAME =
            "The transaction that claimed is not the one that is about to commit. It was rolled back or committed meanwhile,"
                    + " probably because a handler caught a database error, or rolled back to a savepoint, and went on";

    private final Common common;
    private final List<MessageRow> claimed = new ArrayList<>();
    private final Map<MessageKey, Long> settled = new LinkedHashMap<>();
    private final Set<MessageKey> outOfQuarantine = new HashSet<>();
    private @Nullable MessageKey unguarded;

    private static final class Common {
        private final boolean isOurs;
        private final Set<String> transactions = new HashSet<>();
        private final List<Runnable> ifCommittedEarly = new ArrayList<>();
        private @Nullable Savepoint savepoint;
        private long marks;
        private int wordsToSay;
        private boolean isAnother;

        Common(boolean isOurs) {
            this.isOurs = isOurs;
        }
    }

    /**
     * Creates the evidence for the first owner in a transaction.
     *
     * @param isOurs whether this library began the transaction
     */
    Evidence(boolean isOurs) {
        this(new Common(isOurs));
    }

    private Evidence(Common common) {
        this.common = common;
    }

    /** Returns evidence for another owner in the same transaction. */
    Evidence ofAnotherOwner() {
        return new Evidence(common);
    }

    /** Returns whether this library began the transaction. If not, its owner may release a savepoint, which releases every later one. */
    boolean isOfOurTransaction() {
        return common.isOurs;
    }

    /** Adds rows that a claim was granted. */
    void add(List<MessageRow> granted) {
        claimed.addAll(granted);
    }

    /** Keeps a row of a claim that the trigger of PostgreSQL is still to guard. */
    void unguarded(MessageKey key) {
        unguarded = key;
    }

    /** Returns the row that the trigger guards from now on, or null. */
    @Nullable
    MessageKey takeUnguarded() {
        MessageKey key = unguarded;
        unguarded = null;
        return key;
    }

    /** Adds a row that is settled without a handler: quarantined, or expired. It needs no proof of its own but must exist. */
    void settled(MessageKey key, long at) {
        deleted(key);
        settled.put(key, at);
    }

    /** Keeps that this transaction took a row out of quarantine. */
    void outOfQuarantine(MessageKey key) {
        settled.remove(key);
        outOfQuarantine.add(key);
    }

    /** Returns whether this transaction took the row out of quarantine. */
    boolean isOutOfQuarantine(MessageKey key) {
        return outOfQuarantine.contains(key);
    }

    /** Removes a row that this transaction itself deleted. */
    void deleted(MessageKey key) {
        claimed.removeIf(row -> row.key().equals(key));
        settled.remove(key);
    }

    /** Returns the rows that were granted, as the claims left them. */
    List<MessageRow> claimed() {
        return claimed;
    }

    /** Returns when messages were settled without a handler, by key. */
    Map<MessageKey, Long> settled() {
        return settled;
    }

    /** Returns whether this transaction claimed the row as it was read. */
    boolean isClaimed(MessageRow row) {
        return claimed.stream().anyMatch(each -> each.key().equals(row.key()) && each.at() == row.at());
    }

    /** Keeps the savepoint before the first claim. It disappears with the transaction; null once it is released. */
    void savepoint(@Nullable Savepoint savepoint) {
        common.savepoint = savepoint;
    }

    @Nullable
    Savepoint savepoint() {
        return common.savepoint;
    }

    /** Adds the database's id of the transaction; null if it has none yet. */
    void add(@Nullable String transaction) {
        if (transaction != null) {
            common.transactions.add(transaction);
        }
    }

    /** Returns the database's ids of the transaction. */
    Set<String> transactions() {
        return common.transactions;
    }

    /** Adds the mark of a claim. */
    void addMark(long mark) {
        common.marks += mark;
    }

    /** Returns the sum of the marks; 0 if nothing was claimed. */
    long marks() {
        return common.marks;
    }

    /** Notes that the commit depends on more last words, or, with -1, that one was said. */
    void expectWords(int more) {
        common.wordsToSay += more;
    }

    /** Returns whether every last word that the commit depends on was said. */
    boolean areWordsSaid() {
        return common.wordsToSay == 0;
    }

    void ifCommittedEarly(Runnable action) {
        common.ifCommittedEarly.add(action);
    }

    /** Reports that somebody committed the transaction after its claims and before its end. */
    void committedEarly() {
        List<Runnable> told = List.copyOf(common.ifCommittedEarly);
        common.ifCommittedEarly.clear();
        told.forEach(Runnable::run);
    }

    /** Notes that the running transaction is not the one of a claim. */
    void isAnother() {
        common.isAnother = true;
    }

    /** Returns whether the running transaction is known not to be the one of a claim. */
    boolean isOfAnother() {
        return common.isAnother;
    }
}

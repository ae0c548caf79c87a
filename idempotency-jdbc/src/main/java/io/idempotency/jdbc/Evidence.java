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
 * What a transaction keeps of its claims, in order to prove, before it commits, that it is still the one that claimed. Rows are the owner's;
 * what the database knows the transaction by is common to all owners.
 */
final class Evidence {

    /** What is said where the proof fails. */
    static final String NOT_THE_SAME =
            "The transaction that claimed is not the one that is about to commit: it was rolled back or committed meanwhile,"
                    + " probably because a handler caught a database error, or rolled back to a savepoint, and went on";

    private final Common common;
    private final List<MessageRow> claimed = new ArrayList<>();
    private final Map<MessageKey, Long> quarantined = new LinkedHashMap<>();
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
     * Creates that of the first owner in a transaction.
     *
     * @param isOurs whether this library began the transaction
     */
    Evidence(boolean isOurs) {
        this(new Common(isOurs));
    }

    private Evidence(Common common) {
        this.common = common;
    }

    /** Returns that of another owner in the same transaction. */
    Evidence ofAnotherOwner() {
        return new Evidence(common);
    }

    /** Returns whether this library began the transaction. In one of somebody else, the release of a savepoint of theirs takes those behind it with it. */
    boolean isOfOurTransaction() {
        return common.isOurs;
    }

    /** Keeps rows that a claim was granted. */
    void add(List<MessageRow> granted) {
        claimed.addAll(granted);
    }

    /** Keeps the row of a claim that the trigger of PostgreSQL is to look after, and does not yet. */
    void unguarded(MessageKey key) {
        unguarded = key;
    }

    /** Returns the row that the trigger is to look after from now on, or null. */
    @Nullable
    MessageKey takeUnguarded() {
        MessageKey key = unguarded;
        unguarded = null;
        return key;
    }

    /** Keeps a row that is settled as quarantined, which needs no proof of its own but must be there. */
    void quarantined(MessageKey key, long at) {
        deleted(key);
        quarantined.put(key, at);
    }

    /** No longer expects a row that this transaction itself deleted. */
    void deleted(MessageKey key) {
        claimed.removeIf(row -> row.key().equals(key));
        quarantined.remove(key);
    }

    /** Returns the rows that were granted, as the claims left them. */
    List<MessageRow> claimed() {
        return claimed;
    }

    /** Returns when the messages were quarantined, by key. */
    Map<MessageKey, Long> quarantined() {
        return quarantined;
    }

    /** Returns whether the row, as it was read, is one that this transaction claimed. */
    boolean isClaimed(MessageRow row) {
        return claimed.stream().anyMatch(each -> each.key().equals(row.key()) && each.at() == row.at());
    }

    /** Keeps the savepoint that was set before the first claim, which is gone if the transaction is; null once it is released. */
    void savepoint(@Nullable Savepoint savepoint) {
        common.savepoint = savepoint;
    }

    @Nullable
    Savepoint savepoint() {
        return common.savepoint;
    }

    /** Keeps the name by which the database knows the transaction; null if it has none yet. */
    void add(@Nullable String transaction) {
        if (transaction != null) {
            common.transactions.add(transaction);
        }
    }

    /** Returns the names by which the database knew the transaction. */
    Set<String> transactions() {
        return common.transactions;
    }

    /** Keeps what a claim has added to the mark of the transaction. */
    void addMark(long mark) {
        common.marks += mark;
    }

    /** Returns the sum of the marks; 0 if nothing was claimed. */
    long marks() {
        return common.marks;
    }

    /** Notes that the commit depends on one more last word; or, with -1, that one was said. */
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

    /** Tells of a transaction that somebody committed after it had claimed, and before its end. */
    void committedEarly() {
        List<Runnable> told = List.copyOf(common.ifCommittedEarly);
        common.ifCommittedEarly.clear();
        told.forEach(Runnable::run);
    }

    /** Notes that the running transaction is another one than that of a claim. */
    void isAnother() {
        common.isAnother = true;
    }

    /** Returns whether it is known that the running transaction is another one than that of a claim. */
    boolean isOfAnother() {
        return common.isAnother;
    }
}

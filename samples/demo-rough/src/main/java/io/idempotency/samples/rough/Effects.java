package io.idempotency.samples.rough;

import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Writes the effects of messages, each in two halves. The rows show which halves the library committed.
 *
 * <p>Each row names its transaction, and how many early commits came before it there. Right before an early commit, a note is written in the same transaction.
 * So the note exists if, and only if, the early commit happened. The library committed the rows without a note.
 */
@Component
class Effects {

    static final int BEGIN = 0;
    static final int REST = 1;

    private static final ThreadLocal<@Nullable Transaction> RUNNING = new ThreadLocal<>();

    private final JdbcTemplate jdbc;
    private final Aside aside;

    Effects(JdbcTemplate jdbc, Aside aside) {
        this.jdbc = jdbc;
        this.aside = aside;
    }

    /** Writes half of an effect. */
    void write(String listener, int number, int part) {
        Transaction transaction = transaction();
        jdbc.update(
                "insert into effect (listener, message, tx, segment, is_auto, part) values (?, ?, ?, ?, ?, ?)",
                listener,
                number,
                transaction.id,
                transaction.segment,
                transaction.isAuto ? 1 : 0,
                part);
    }

    /** Commits the running transaction in the middle. */
    void commitEarly(EarlyCommits way, String staging) {
        Transaction transaction = transaction();
        jdbc.update("insert into early_commit (tx, segment) values (?, ?)", transaction.id, transaction.segment);
        try {
            jdbc.execute((ConnectionCallback<Boolean>) connection -> {
                way.on(connection, staging);
                return true;
            });
        } finally {
            transaction.segment++;
            transaction.isAuto |= way == EarlyCommits.AUTO_COMMIT;
        }
    }

    private Transaction transaction() {
        Transaction transaction = RUNNING.get();
        if (transaction == null) {
            transaction = new Transaction();
            RUNNING.set(transaction);
            TransactionSynchronizationManager.registerSynchronization(transaction);
        }
        return transaction;
    }

    private final class Transaction implements TransactionSynchronization {

        private final String id = UUID.randomUUID().toString();
        private int segment;
        private boolean isAuto;

        @Override
        public void afterCompletion(int status) {
            RUNNING.remove();
            // With auto-commit each row was final at once, so no note is needed.
            if (isAuto && status == STATUS_COMMITTED) {
                aside.settled(id);
            }
        }
    }
}

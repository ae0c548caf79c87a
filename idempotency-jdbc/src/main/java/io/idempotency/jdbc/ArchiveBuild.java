package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import io.idempotency.jdbc.ArchiveSource.Contents;
import io.idempotency.jdbc.ArchiveSource.Message;
import io.idempotency.store.TransientStoreException;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Builds an archive, in four steps:
 *
 * <ol>
 *   <li>Insert its header as being built, with the journal locked. If somebody else builds one of this journal, there is nothing to do.
 *   <li>Read the source, which does not change. Nothing is locked.
 *   <li>Write pages and filters, some thousand messages in a transaction. Each renews the header. If that is no longer being built, somebody took this node for
 *       dead: it stops.
 *   <li>Lock the journal as an append does. If the source is still there, let the archive take its place. This changes a few rows and takes milliseconds.
 * </ol>
 *
 * <p>A journal says the same before and after the last step. If the node dies, its header is left over. Another node declares it dead when it was not renewed for
 * ten minutes.
 */
final class ArchiveBuild {

    /** The time after which a builder that gives no sign counts as dead. */
    static final Duration LEASE = Duration.ofMinutes(10);

    private static final Logger LOG = Loggers.JOURNAL_STORE;
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int MESSAGES_AT_A_TIME = 20_000;
    private static final int ATTEMPTS_TO_LOCK = 10;
    private static final long TELL_NANOS = Duration.ofMinutes(1).toNanos();

    private final Connections connections;
    private final StoreDatabase database;
    private final Journals journals;
    private final ArchiveChanges changes;
    private final JournalKey key;
    private final BooleanSupplier isGoingOn;

    /**
     * Names a journal.
     *
     * @param isGoingOn asked after each transaction; if it says no, the build ends and leaves nothing behind
     */
    ArchiveBuild(
            Connections connections,
            StoreDatabase database,
            Journals journals,
            JournalKey key,
            BooleanSupplier isGoingOn) {
        this.connections = connections;
        this.database = database;
        this.journals = journals;
        this.changes = new ArchiveChanges(journals.tables);
        this.key = key;
        this.isGoingOn = isGoingOn;
    }

    /** Builds the archive. Returns whether it is active now; if not, the journal is as before. */
    boolean run(ArchiveSource source) {
        long began = System.nanoTime();
        Optional<ArchiveHead> begun = patiently("begin an archive", connection -> begin(connection, source), isGoingOn);
        return begun.isPresent() && run(begun.get(), source, began);
    }

    private boolean run(ArchiveHead head, ArchiveSource source, long began) {
        try {
            ArchiveWriter writer = write(head, source);
            if (writer != null && end(writer.written(), source)) {
                tell(writer, began);
                return true;
            }
        } catch (RuntimeException | Error e) {
            giveUp(head, e);
            throw e;
        }
        giveUp(head, null);
        return false;
    }

    private Optional<ArchiveHead> begin(Connection connection, ArchiveSource source) throws SQLException {
        // The lock comes first, as in the last step.
        JournalHead locked = lock(connection);
        long now = database.now(connection);
        changes.expire(connection, now - StoredTime.micros(LEASE));
        if (locked == null
                || !journals.archives().heads(connection, key, State.BUILDING).isEmpty()
                || !source.isThere(connection, locked)) {
            return Optional.empty();
        }
        List<ArchiveHead> others = journals.archives().heads(connection, key, State.ACTIVE);
        long seed = others.isEmpty() ? RANDOM.nextLong() : others.get(0).seed();
        ArchiveHead head = new ArchiveHead(key, RANDOM.nextLong(), State.BUILDING, seed, Span.NONE, 0, 0);
        changes.insert(connection, head, now);
        return Optional.of(head);
    }

    private @Nullable JournalHead lock(Connection connection) throws SQLException {
        List<JournalHead> heads = journals.heads(connection, List.of(key), true);
        return heads.isEmpty() ? null : heads.get(0);
    }

    /** Writes pages and filters; returns null if the archive is not to be completed. */
    private @Nullable ArchiveWriter write(ArchiveHead head, ArchiveSource source) {
        Optional<Contents> opened = connections.alone(
                "read what is to be archived",
                connection -> Optional.ofNullable(source.open(connection, new ArchiveHash(head.seed()))));
        if (opened.isEmpty()) {
            return null;
        }
        Contents contents = opened.get();
        ArchiveWriter writer = new ArchiveWriter(changes, head, contents);
        long told = System.nanoTime();
        Step step = Step.MORE;
        while (step == Step.MORE) {
            step = connections.alone("write an archive", connection -> write(connection, head, writer, source));
            if (step == Step.LOST || !isGoingOn.getAsBoolean()) {
                return null;
            }
            if (System.nanoTime() - told > TELL_NANOS) {
                told = System.nanoTime();
                LOG.info(
                        "Archiving the journal of {}: {} of {} messages",
                        place(),
                        writer.written().messages(),
                        contents.messages());
            }
        }
        return writer;
    }

    private boolean renew(Connection connection, ArchiveHead head) throws SQLException {
        return changes.renew(connection, head, State.BUILDING, database.now(connection));
    }

    /** The outcome of a transaction that writes: somebody took this node for dead, there are more messages, or there are none. */
    private enum Step {
        LOST,
        MORE,
        END
    }

    private Step write(Connection connection, ArchiveHead head, ArchiveWriter writer, ArchiveSource source)
            throws SQLException {
        if (!renew(connection, head)) {
            return Step.LOST;
        }
        Message message = source.next(connection);
        for (int i = 1; message != null && i < MESSAGES_AT_A_TIME; i++) {
            writer.add(message);
            message = source.next(connection);
        }
        if (message != null) {
            writer.add(message);
        }
        writer.write(connection, message == null);
        return message == null ? Step.END : Step.MORE;
    }

    private boolean end(ArchiveHead written, ArchiveSource source) {
        return patiently(
                "complete an archive",
                connection -> end(connection, written, source),
                () -> isGoingOn.getAsBoolean()
                        && connections.alone("write an archive", connection -> renew(connection, written)));
    }

    /** Runs a transaction that locks the head. Consumers hold that lock until they commit, so it may take more than one attempt to get it. */
    private <T> T patiently(String verb, Connections.Work<T> work, BooleanSupplier isWorthAnother) {
        for (int attempt = 1; ; attempt++) {
            try {
                return connections.alone(verb, work);
            } catch (TransientStoreException e) {
                if (attempt == ATTEMPTS_TO_LOCK || !isWorthAnother.getAsBoolean()) {
                    throw e;
                }
            }
        }
    }

    private boolean end(Connection connection, ArchiveHead written, ArchiveSource source) throws SQLException {
        JournalHead locked = lock(connection);
        if (locked == null || !source.isThere(connection, locked)) {
            return false;
        }
        // A time in the future may have been corrected meanwhile.
        ArchiveHead completed = written.withSpan(written.span().until(locked.at()));
        if (!changes.complete(connection, completed)) {
            return false;
        }
        source.replace(connection, locked);
        return true;
    }

    private void giveUp(ArchiveHead head, @Nullable Throwable failure) {
        try {
            connections.alone(
                    "give up an archive", connection -> changes.change(connection, head, State.BUILDING, State.DEAD));
        } catch (RuntimeException e) {
            // It expires.
            if (failure == null) {
                throw e;
            }
            failure.addSuppressed(e);
        }
    }

    private void tell(ArchiveWriter writer, long began) {
        ArchiveHead head = writer.written();
        LOG.info(
                "Archived the journal of {} from version {} to {}: {} messages, {} MB, in {} ms",
                place(),
                head.span().firstVersion(),
                head.span().lastVersion(),
                head.messages(),
                writer.bytes() >> 20,
                (System.nanoTime() - began) / 1_000_000);
    }

    private JournalPlace place() {
        return connections.onCurrent("read names", connection -> database.place(connection, key));
    }
}

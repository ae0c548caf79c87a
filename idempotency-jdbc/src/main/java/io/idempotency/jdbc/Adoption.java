package io.idempotency.jdbc;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdKind;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Imports the ids of processed messages from a table of your own into a {@link TableStore}, so that their copies are duplicates from then on. Consumers may
 * run meanwhile.
 *
 * <pre>
 * Adopted adopted = Adoption.into(store)
 *         .from(dataSource, "select 'billing', message_id, processed_at from processed_message")
 *         .run();
 * </pre>
 *
 * <p>The query returns three columns in this order, whatever their labels:
 *
 * <ol>
 *   <li>the consumer, by the name that it has with this library;
 *   <li>the id: text, a UUID, a whole number, or bytes of UTF-8; see {@link Builder#kind};
 *   <li>when the message was processed: a timestamp, or milliseconds since 1970. The driver reads a timestamp without a zone in that of this JVM. Null means
 *       now.
 * </ol>
 *
 * <p>A row of the store is never changed, so an adoption may be run again, by several nodes at once too. A message keeps its time, and the purge forgets it when
 * the retention of its consumer ends. Rows that are older are left out. An adopted message has no position: its copies are duplicates of an unknown kind, and
 * offsets before it are not guarded when the purge has forgotten it.
 *
 * <p>The rows are streamed over a connection of their own, in one transaction that only reads. Each batch is adopted by a short transaction on a second connection,
 * which locks nothing but the rows that it inserts, in the order of their keys. If a consumer is about to insert one of them, the batch waits for it, at most
 * the claim timeout. A batch that fails transiently is tried again. A crash loses at most the running batch. A builder belongs to one thread.
 */
public final class Adoption {

    /** How many rows one transaction adopts, unless set otherwise. */
    public static final int DEFAULT_BATCH_SIZE = 1000;

    /** How many consumers an adoption may meet, unless set otherwise. */
    public static final int DEFAULT_MAX_CONSUMERS = 100;

    private static final Logger LOG = Loggers.ADOPTION;
    private static final long LOGGED_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int MOST_TRIES = 20;
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 10_000;

    private final Builder settings;
    private final DataSource source;
    private final TableAdoption target;
    private Adopted soFar = Adopted.NOTHING;
    private long loggedNanos = System.nanoTime();

    private Adoption(Builder settings, DataSource source) {
        this.settings = settings;
        this.source = source;
        this.target = settings.store.adoption(settings.retention, settings.maxConsumers);
    }

    /**
     * Returns a builder for the store.
     *
     * @throws IdempotencyException if it is not a {@link TableStore}. A {@link JournalStore} remembers ids by partition and offset, which the rows of another
     *     table do not have
     */
    public static Builder into(ClaimStore store) {
        if (store instanceof TableStore table) {
            return new Builder(table);
        }
        throw new IdempotencyException("Ids are adopted only into a TableStore, not into a "
                + store.getClass().getSimpleName()
                + ". A journal remembers ids by partition and offset, which an adopted id does not have. Let these consumers"
                + " use a TableStore, at least until the retention of the adopted ids has ended");
    }

    private Adopted run() {
        try (AdoptionQuery query = AdoptionQuery.run(source, settings.sql, settings.parameters, settings.kind)) {
            for (List<AdoptedRow> rows = query.next(settings.batchSize);
                    !rows.isEmpty();
                    rows = query.next(settings.batchSize)) {
                soFar = adopt(rows);
                tell();
            }
        } catch (SQLException e) {
            throw new AdoptionException("The query failed: " + e.getMessage(), soFar, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AdoptionException("Its thread was interrupted", soFar, e);
        } catch (AdoptionException e) {
            throw e;
        } catch (IdempotencyException e) {
            throw new AdoptionException(String.valueOf(e.getMessage()), soFar, e);
        }
        LOG.info("The adoption is complete: {}", soFar);
        return soFar;
    }

    private Adopted adopt(List<AdoptedRow> rows) throws InterruptedException {
        long pause = FIRST_PAUSE_MILLIS;
        for (int tried = 1; ; tried++) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            try {
                return target.adopt(rows, soFar);
            } catch (TransientStoreException e) {
                if (tried == MOST_TRIES) {
                    throw e;
                }
                LOG.info(
                        "A batch of the adoption failed transiently and is tried again in {} ms: {}",
                        pause,
                        e.getMessage());
                Thread.sleep(pause);
                pause = Math.min(pause * 2, LONGEST_PAUSE_MILLIS);
            }
        }
    }

    private void tell() {
        if (System.nanoTime() - loggedNanos > LOGGED_NANOS) {
            loggedNanos = System.nanoTime();
            LOG.info("The adoption goes on: {}", soFar);
        }
        settings.progress.accept(soFar);
    }

    /** Settings of an adoption. Not thread-safe. */
    public static final class Builder {

        private final TableStore store;
        private @Nullable DataSource source;
        private String sql = "";
        private List<Object> parameters = List.of();
        private IdKind kind = IdKind.HEADER;
        private Optional<Duration> retention = Optional.empty();
        private int batchSize = DEFAULT_BATCH_SIZE;
        private int maxConsumers = DEFAULT_MAX_CONSUMERS;
        private Consumer<Adopted> progress = adopted -> {};

        private Builder(TableStore store) {
            this.store = store;
        }

        /**
         * Sets the query and its database, which may be another one than that of the store. With an {@code order by}, {@link Adopted#last} tells where another
         * run may begin: {@code where message_id > ? order by message_id}.
         *
         * @param values the parameters of the query
         */
        public Builder from(DataSource dataSource, String query, Object... values) {
            source = dataSource;
            sql = query;
            parameters = List.of(values);
            return this;
        }

        /** Sets where the consumer finds the ids in its records; {@link IdKind#HEADER} by default. An id of another kind would never be met again. */
        public Builder kind(IdKind where) {
            kind = where;
            return this;
        }

        /**
         * Sets the retention of the adopted consumers. It is stored in the tables, as a {@link Purger} does, unless theirs is longer. Without it, the stored one
         * counts, or {@link Purger#DEFAULT_RETENTION} if there is none.
         */
        public Builder retention(Duration duration) {
            retention = Optional.of(duration);
            return this;
        }

        /** Sets how many rows one transaction adopts; {@value #DEFAULT_BATCH_SIZE} by default. */
        public Builder batchSize(int rows) {
            batchSize = rows;
            return this;
        }

        /**
         * Sets how many consumers the rows may have; {@value #DEFAULT_MAX_CONSUMERS} by default. An adoption that meets more of them ends before it writes
         * anything of that batch: the columns of its query may be in another order, and then each id would become a consumer.
         */
        public Builder maxConsumers(int consumers) {
            maxConsumers = consumers;
            return this;
        }

        /** Sets what is called after each batch, on the thread of {@link #run}. Its exceptions end the adoption. The log tells the progress every ten seconds anyway. */
        public Builder progress(Consumer<Adopted> listener) {
            progress = listener;
            return this;
        }

        /**
         * Adopts all rows of the query, and returns their counts. Takes two connections. An interruption of the thread ends it after the running batch.
         *
         * @throws AdoptionException if it ends early: a row cannot be adopted, the rows have too many consumers, the query fails, or a batch has failed twenty times, which takes more than two
         *     minutes. What was adopted until then remains
         * @throws IdempotencyException if a setting is missing, or a transaction is active on the thread
         */
        public Adopted run() {
            DataSource from = source;
            if (from == null
                    || batchSize < 1
                    || maxConsumers < 1
                    || retention
                            .filter(given -> given.isNegative() || given.isZero())
                            .isPresent()) {
                throw new IdempotencyException(
                        "An adoption needs a query, by from(..), and a positive batch size, number of consumers and retention");
            }
            if (JdbcTransactions.isAnyActive()) {
                throw new IdempotencyException(
                        "An adoption commits each batch on its own: run it outside of the transaction that is active on this thread");
            }
            return new Adoption(this, from).run();
        }
    }
}

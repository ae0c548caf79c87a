package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Sixteen threads of two nodes want the same messages: each message is granted once, on every database and isolation level. The table store gets the
 * copies in a partition for each thread, the journal store in the partitions that they belong to.
 */
@Tag("rule-3.2")
@Tag("rule-3.3")
@Tag("rule-3.4")
@Tag("rule-4.1")
@Tag("rule-4.3")
class ConcurrencyTest {

    private static final Logger LOG = LoggerFactory.getLogger(ConcurrencyTest.class);
    private static final int THREADS = 16;
    private static final int POLL = 250;

    /** The compared stores. In a journal, all threads wait for the same few rows. */
    private enum Kind {
        TABLE(10_000) {
            @Override
            ClaimStore store(DataSource dataSource) {
                return TableStore.builder(dataSource)
                        .tablePrefix(Fixture.PREFIX)
                        .claimTimeout(CLAIM_TIMEOUT)
                        .build();
            }

            @Override
            Position position(int thread, int number) {
                return new Position("orders", thread, number);
            }
        },
        JOURNAL(2_500) {
            @Override
            ClaimStore store(DataSource dataSource) {
                return JournalStore.builder(dataSource)
                        .tablePrefix(Fixture.PREFIX)
                        .claimTimeout(CLAIM_TIMEOUT)
                        .build();
            }

            @Override
            Position position(int thread, int number) {
                return new Position("orders", number % 3, (long) thread * messages + number);
            }
        };

        private static final Duration CLAIM_TIMEOUT = Duration.ofSeconds(5);
        final int messages;

        Kind(int messages) {
            this.messages = messages;
        }

        abstract ClaimStore store(DataSource dataSource);

        abstract Position position(int thread, int number);
    }

    private final AtomicIntegerArray grants = new AtomicIntegerArray(Kind.TABLE.messages);
    private final AtomicReferenceArray<Position> firsts = new AtomicReferenceArray<>(Kind.TABLE.messages);
    private final ConcurrentLinkedQueue<Claim> duplicates = new ConcurrentLinkedQueue<>();
    private final AtomicInteger deadlocks = new AtomicInteger();
    private final AtomicInteger retries = new AtomicInteger();
    private final String consumer = "c-" + UUID.randomUUID();

    @ParameterizedTest(name = "{0} {1} at {2}")
    @CsvSource({
        "TABLE, POSTGRESQL, ISOLATION_READ_COMMITTED",
        "TABLE, POSTGRESQL, ISOLATION_REPEATABLE_READ",
        "TABLE, POSTGRESQL, ISOLATION_SERIALIZABLE",
        "TABLE, MARIADB, ISOLATION_READ_COMMITTED",
        "TABLE, MARIADB, ISOLATION_REPEATABLE_READ",
        "TABLE, MARIADB, ISOLATION_SERIALIZABLE",
        "TABLE, H2, ISOLATION_READ_COMMITTED",
        "TABLE, H2, ISOLATION_REPEATABLE_READ",
        "TABLE, H2, ISOLATION_SERIALIZABLE",
        "JOURNAL, POSTGRESQL, ISOLATION_READ_COMMITTED",
        "JOURNAL, POSTGRESQL, ISOLATION_REPEATABLE_READ",
        "JOURNAL, POSTGRESQL, ISOLATION_SERIALIZABLE",
        "JOURNAL, MARIADB, ISOLATION_READ_COMMITTED",
        "JOURNAL, MARIADB, ISOLATION_REPEATABLE_READ",
        "JOURNAL, MARIADB, ISOLATION_SERIALIZABLE",
        "JOURNAL, H2, ISOLATION_READ_COMMITTED",
        "JOURNAL, H2, ISOLATION_REPEATABLE_READ",
        "JOURNAL, H2, ISOLATION_SERIALIZABLE"
    })
    void grantsEachMessageOnceToSixteenThreads(Kind kind, TestDatabase database, String isolation) throws Exception {
        DefaultTransactionDefinition definition = new DefaultTransactionDefinition();
        definition.setIsolationLevelName(isolation);
        try (HikariDataSource one = database.pool(THREADS / 2);
                HikariDataSource two = database.pool(THREADS / 2)) {
            Schema.on(one).tablePrefix(Fixture.PREFIX).migrate();
            ExecutorService executor = Executors.newFixedThreadPool(THREADS);
            try {
                run(kind, executor, one, two, definition);
            } finally {
                executor.shutdownNow();
            }
        }
        LOG.warn("{} {} at {}: {} transactions were run again", kind, database, isolation, retries);
        for (int i = 0; i < kind.messages; i++) {
            assertThat(grants.get(i)).as("grants of message %d", i).isEqualTo(1);
        }
        if (database == TestDatabase.POSTGRESQL) {
            assertThat(deadlocks).as("deadlocks, although the keys are sorted").hasValue(0);
        }
        assertThat(duplicates).hasSize((THREADS - 1) * kind.messages);
        for (Claim duplicate : duplicates) {
            assertThat(duplicate.status()).isEqualTo(Claim.Status.DUPLICATE);
            assertThat(duplicate.processed().orElseThrow().position())
                    .isEqualTo(firsts.get(number(duplicate.delivery())));
        }
    }

    private void run(
            Kind kind,
            ExecutorService executor,
            HikariDataSource one,
            HikariDataSource two,
            TransactionDefinition definition)
            throws InterruptedException, ExecutionException, TimeoutException {
        ClaimStore first = kind.store(one);
        ClaimStore second = kind.store(two);
        List<CompletableFuture<Void>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int thread = i;
            TransactionTemplate template =
                    new TransactionTemplate(new JdbcTransactionManager(i % 2 == 0 ? one : two), definition);
            threads.add(CompletableFuture.runAsync(
                    () -> claimAll(kind, thread % 2 == 0 ? first : second, template, thread), executor));
        }
        CompletableFuture.allOf(threads.toArray(CompletableFuture[]::new)).get(120, TimeUnit.SECONDS);
    }

    /** Each thread sees the polls in an order of its own, and the messages of a poll too. */
    private void claimAll(Kind kind, ClaimStore store, TransactionTemplate template, int thread) {
        Random random = new Random(thread);
        List<Integer> polls = new ArrayList<>();
        for (int poll = 0; poll < kind.messages / POLL; poll++) {
            polls.add(poll);
        }
        Collections.shuffle(polls, random);
        for (int poll : polls) {
            List<Delivery> deliveries = new ArrayList<>();
            for (int i = 0; i < POLL; i++) {
                int number = poll * POLL + i;
                deliveries.add(new Delivery(new MessageId(consumer, "m-" + number), kind.position(thread, number)));
            }
            Collections.shuffle(deliveries, random);
            claimUntilDone(store, template, deliveries);
        }
    }

    private void claimUntilDone(ClaimStore store, TransactionTemplate template, List<Delivery> deliveries) {
        while (true) {
            List<Claim> claims = new ArrayList<>();
            try {
                store.prepare(deliveries);
                template.executeWithoutResult(status -> claims.addAll(store.claim(deliveries)));
            } catch (RuntimeException e) {
                if (!store.transactions().isTransient(e)) {
                    throw e;
                }
                retries.incrementAndGet();
                if (e.getCause() instanceof SQLException cause && "40P01".equals(cause.getSQLState())) {
                    deadlocks.incrementAndGet();
                }
                continue;
            }
            for (Claim claim : claims) {
                if (claim.isGranted()) {
                    grants.incrementAndGet(number(claim.delivery()));
                    firsts.set(number(claim.delivery()), claim.delivery().position());
                } else {
                    duplicates.add(claim);
                }
            }
            return;
        }
    }

    private static int number(Delivery delivery) {
        return Integer.parseInt(delivery.id().value().substring(2));
    }
}

package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A claim waits at most the claim timeout; the lock timeouts of the databases are far longer. HSQLDB has none, and its query timeout does not end a wait.
 */
@Tag("rule-3.8")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClaimTimeoutTest {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final String id = "m-" + UUID.randomUUID();

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    void endsTheWaitForANewMessage(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database, timeout(database))) {
            fixture.claimed(id + "-names");

            fixture.transactions.inTransaction(() -> {
                // A statement fails in it, for H2 waits in another way then.
                fixture.claim(id + "-names");
                fixture.claim(id);
                assertEnds(() -> fixture.claimed(id));
                assertEnds(() -> lease(fixture));
            });
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    void endsTheWaitForAReleasedMessage(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database, timeout(database))) {
            fixture.store.release(List.of(lease(fixture)));

            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                assertEnds(() -> fixture.claimed(id));
                assertEnds(() -> lease(fixture));
            });
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    void endsTheWaitForALease(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database, timeout(database))) {
            Claim lease = lease(fixture);

            fixture.transactions.inTransaction(() -> {
                fixture.handle(
                        "update rules_message set place = place where at_micros = " + StoredTime.micros(lease.until()));
                assertEnds(() -> fixture.store.renew(List.of(lease), MINUTE));
                assertEnds(() -> fixture.store.complete(List.of(lease)));
            });
            fixture.store.complete(List.of(lease));
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    void endsTheWaitForANewName(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database, timeout(database))) {
            fixture.transactions.inTransaction(() -> {
                fixture.handle("insert into rules_name (id, name) values (" + (id.hashCode() & Integer.MAX_VALUE)
                        + ", '" + fixture.consumer + "')");
                assertEnds(() -> fixture.claimed(id));
                assertEnds(() -> lease(fixture));
            });
        }
    }

    /** As for a change of the table, or a backup; left alone, MariaDB waits for it a day, and PostgreSQL without end. */
    @ParameterizedTest
    @CsvSource({
        "MARIADB, lock tables rules_message write",
        "MARIADB, lock tables rules_name write",
        "MARIADB, flush tables with read lock",
        "POSTGRESQL, begin; lock table rules_message",
        "POSTGRESQL, begin; lock table rules_name"
    })
    @Tag("rule-8.8")
    void endsTheWaitForATable(TestDatabase database, String lock) throws SQLException {
        try (Fixture fixture = Fixture.on(database, timeout(database))) {
            fixture.claimed(id + "-known");
            fixture.store.release(List.of(lease(fixture)));
            TableStore newProcess = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .claimTimeout(timeout(database))
                    .build();
            Delivery known = fixture.at(id + "-known", 1);
            whileLocked(fixture.dataSource, lock, () -> {
                if (lock.contains("name")) {
                    assertEnds(() -> newProcess.prepare(List.of(known)));
                } else {
                    assertEnds(() -> fixture.claimed(id + "-new"));
                    assertEnds(() -> fixture.claimed(id));
                    assertEnds(() -> claimed(fixture, id + "-new", id + "-newer"));
                    assertEnds(() -> lease(fixture));
                }
                assertEnds(() -> newProcess.transactions().inTransaction(() -> newProcess.claim(List.of(known))));
            });
        }
    }

    @ParameterizedTest
    @CsvSource({
        "MARIADB, lock tables journal_rules_journal write",
        "MARIADB, lock tables journal_rules_segment write",
        "MARIADB, flush tables with read lock",
        "POSTGRESQL, begin; lock table journal_rules_journal",
        "POSTGRESQL, begin; lock table journal_rules_segment"
    })
    @Tag("rule-8.8")
    void endsTheWaitForATableOfJournals(TestDatabase database, String lock) throws SQLException {
        try (JournalFixture fixture =
                new JournalFixture(database, settings -> settings.claimTimeout(timeout(database)))) {
            JournalFixture.claimed(fixture.one, fixture.at("known", 0, 1), fixture.at("known", 1, 1));
            whileLocked(fixture.dataSource, lock, () -> {
                assertEnds(() -> JournalFixture.claimed(fixture.one, fixture.at("new", 0, 2)));
                assertEnds(() -> JournalFixture.claimed(fixture.one, fixture.at("new", 0, 2), fixture.at("new", 1, 2)));
                if (!lock.startsWith("flush")) {
                    assertEnds(() -> JournalFixture.claimed(fixture.other, fixture.at("known", 0, 3)));
                }
            });
        }
    }

    private static void whileLocked(DataSource dataSource, String lock, Runnable work) throws SQLException {
        try (Connection other = dataSource.getConnection();
                Statement statement = other.createStatement()) {
            statement.execute(lock);
            try {
                work.run();
            } finally {
                statement.execute(lock.startsWith("begin") ? "rollback" : "unlock tables");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    void leavesTheHandlersLockTimeoutAlone(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database, timeout(database))) {
            fixture.claimed(id + "-known");
            fixture.store.release(List.of(lease(fixture)));
            String set = setLockTimeout(database);
            String timeout = set.replaceAll(".* '?|'", "");
            fixture.transactions.inTransaction(() -> {
                fixture.handle(set);
                for (String each : List.of(id + "-new", id + "-new", id + "-known", id)) {
                    fixture.claim(each);
                    assertThat(lockTimeout(fixture, database)).isEqualTo(timeout);
                }
                fixture.store.quarantine(fixture.claim(id + "-bad"));
                assertThat(lockTimeout(fixture, database)).isEqualTo(timeout);
            });
            fixture.transactions.inTransaction(() -> {
                fixture.claim(id + "-known");
                assertThat(lockTimeout(fixture, database))
                        .isEqualTo(database == TestDatabase.POSTGRESQL ? "0" : timeout);
            });
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    @Tag("rule-4.15")
    void endsTheWaitOfEveryVerbAboutASettledMessage(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database, timeout(database))) {
            TableStore hasty = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .claimTimeout(Duration.ofMillis(100))
                    .build();
            Claim settled = fixture.claimed(id);
            Claim processed = fixture.claimed(id + "-processed");
            fixture.store.quarantine(settled);

            fixture.transactions.inTransaction(() -> {
                fixture.handle(
                        "update rules_message set place = place where consumer in (select id from rules_name where"
                                + " name = '" + fixture.consumer + "')");
                assertEnds(() -> hasty.forget(processed.delivery().id()));
                if (database != TestDatabase.MARIADB) {
                    assertEnds(() -> hasty.unquarantine(settled.delivery()));
                    assertEnds(() -> hasty.quarantine(settled));
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    @Tag("rule-4.15")
    void endsTheWaitForAKeptMessage(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database, timeout(database))) {
            JdbcQuarantine hasty = JdbcQuarantine.on(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .claimTimeout(Duration.ofMillis(100));
            QuarantinedMessage message = new QuarantinedMessage(
                    fixture.at(id, 1),
                    Payload.none(Payload.Origin.POSITION_ONLY),
                    new QuarantineFailure("SomeException", "group", "text"),
                    1);
            hasty.save(message);
            long generation = hasty.find(message.delivery().id()).orElseThrow().generation();

            fixture.transactions.inTransaction(() -> {
                assertThat(hasty.take(message.delivery().id(), generation)).isPresent();
                assertEnds(() -> hasty.delete(message.delivery().id()));
                if (database != TestDatabase.MARIADB) {
                    assertEnds(() -> hasty.save(message));
                    assertEnds(() -> fixture.transactions.inTransaction(
                            () -> hasty.take(message.delivery().id(), generation)));
                }
            });
        }
    }

    /** MariaDB waits a second at least. */
    private static Duration timeout(TestDatabase database) {
        return database == TestDatabase.MARIADB ? Duration.ofSeconds(1) : Duration.ofMillis(100);
    }

    private static void claimed(Fixture fixture, String... ids) {
        List<Delivery> deliveries =
                Stream.of(ids).map(each -> fixture.at(each, 1)).toList();
        fixture.transactions.inTransaction(() -> fixture.store.claim(deliveries));
    }

    private Claim lease(Fixture fixture) {
        return fixture.store.lease(List.of(fixture.at(id, 1)), MINUTE).get(0);
    }

    private static void assertEnds(Runnable waiting) {
        assertThatThrownBy(() -> CompletableFuture.runAsync(waiting).join())
                .hasCauseInstanceOf(TransientStoreException.class);
    }

    private static String setLockTimeout(TestDatabase database) {
        return switch (database) {
            case POSTGRESQL -> "set local lock_timeout = '12345ms'";
            case MARIADB -> "set innodb_lock_wait_timeout = 7";
            default -> "set lock_timeout 12345";
        };
    }

    private static String lockTimeout(Fixture fixture, TestDatabase database) {
        String timeout = fixture.jdbc.queryForObject(
                switch (database) {
                    case POSTGRESQL -> "select current_setting('lock_timeout')";
                    case MARIADB -> "select @@innodb_lock_wait_timeout";
                    default -> "select lock_timeout()";
                },
                String.class);
        return timeout == null ? "" : timeout;
    }
}

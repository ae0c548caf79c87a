package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.jdbc.ArchiveFixture.Said;
import io.idempotency.jdbc.JournalSegment.Kind;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StoredId;
import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.datasource.DataSourceUtils;

/** Archives are built while others append, purge, build too, or prove what they had committed too early. */
class ArchiveConcurrencyTest {

    private static final Duration INACCURACY = Duration.ofMillis(60);

    private static Delivery at(String id, long offset) {
        return new Delivery(new MessageId("billing", id), new Position("orders", 3, offset));
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.17")
    void loseNothingThatIsAppendedMeanwhile(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            JournalStore store = journal.store();
            AtomicBoolean isAppending = new AtomicBoolean(true);
            CompletableFuture<Void> upkeep = CompletableFuture.runAsync(() -> {
                while (isAppending.get()) {
                    journal.upkeep(20).run(() -> true);
                }
            });
            List<UUID> ids = new ArrayList<>();
            try {
                for (int i = 0; i < 150; i++) {
                    List<Delivery> deliveries = new ArrayList<>();
                    for (int j = 0; j < 5; j++) {
                        deliveries.add(at("m" + i + "." + j, 5L * i + j));
                        ids.add(StoredId.of("m" + i + "." + j));
                    }
                    store.prepare(deliveries);
                    store.transactions()
                            .inTransaction(
                                    () -> assertThat(store.claim(deliveries)).allMatch(Claim::isGranted));
                }
            } finally {
                isAppending.set(false);
                upkeep.join();
            }
            journal.upkeep(20).run(() -> true);

            assertThat(journal.said().keySet()).containsExactlyInAnyOrderElementsOf(ids);
            assertThat(journal.archives()).isNotEmpty();
            assertThat(journal.head().version()).isEqualTo(150);
        }
    }

    /** Something happens at a step of a build, on another connection. */
    private static void during(ArchiveFixture journal, String statement, Consumer<Connection> event, int staying) {
        Meanwhile meanwhile = new Meanwhile(journal.pool);
        meanwhile.before(statement, event);
        ArchiveFixture.upkeep(meanwhile, staying).run(() -> true);
        assertThat(meanwhile.isOver()).isTrue();
    }

    private static Consumer<Connection> elsewhere(Runnable work) {
        return connection -> CompletableFuture.runAsync(work).join();
    }

    @ParameterizedTest
    @ValueSource(strings = {"insert into archives_archive_page", "insert into archives_archive_filter"})
    @Tag("rule-4.17")
    void areBuiltByOneNodeAtATime(String step) {
        for (TestDatabase database : List.of(TestDatabase.POSTGRESQL, TestDatabase.MARIADB, TestDatabase.H2)) {
            try (ArchiveFixture journal = new ArchiveFixture(database)) {
                journal.append(30);
                during(
                        journal,
                        step,
                        elsewhere(() -> {
                            journal.upkeep(20).run(() -> true);
                            assertThat(journal.archives()).isEmpty();
                        }),
                        20);

                journal.requireHistory(INACCURACY);
                journal.requireClean();
                assertThat(journal.archives()).isNotEmpty();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.17")
    void areGivenUpByANodeThatCountsAsDead(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            journal.append(30);
            // Between two transactions of the build: its header is not locked.
            during(
                    journal,
                    "select version, token, at_micros, first_offset",
                    elsewhere(() -> {
                        journal.jdbc.update("update archives_archive set renewed_micros = renewed_micros - 700000000");
                        journal.upkeep(20).run(() -> true);
                        journal.requireHistory(INACCURACY);
                        assertThat(journal.archives()).isNotEmpty();
                    }),
                    20);

            journal.requireHistory(INACCURACY);
            journal.requireClean();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.17")
    void doNotBringBackWhatThePurgeForgotMeanwhile(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            journal.pass(Duration.ofMinutes(-90));
            journal.append(30);
            journal.pass(Duration.ofMinutes(100));
            journal.append(40);
            List<UUID> forgotten = new ArrayList<>();
            during(
                    journal,
                    "insert into archives_archive_page",
                    elsewhere(() -> {
                        Map<UUID, Said> before = journal.said();
                        while (journal.store().purge(Duration.ofHours(1), 1000) > 0) {
                            // Until nothing is old.
                        }
                        forgotten.addAll(before.keySet());
                        forgotten.removeAll(journal.said().keySet());
                    }),
                    20);

            assertThat(forgotten).isNotEmpty();
            assertThat(journal.said().keySet()).doesNotContainAnyElementsOf(forgotten);
            Map<UUID, Said> rest = new HashMap<>(journal.history);
            rest.keySet().removeAll(forgotten);
            journal.requireSaid(rest, INACCURACY);
            assertThat(journal.count("archive where state = 2")).as("given up").isEqualTo(1);
            journal.upkeep(20).run(() -> true);
            journal.requireClean();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.17")
    void areNotBuiltOfOnesThatThePurgeDroppedMeanwhile(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            journal.pass(Duration.ofMinutes(-90));
            while (journal.archives().size() < ArchiveUpkeep.MOST_ARCHIVES) {
                journal.append(10);
                journal.upkeep(20).run(() -> true);
            }
            journal.pass(Duration.ofMinutes(100));
            journal.append(30);
            List<Long> dropped = new ArrayList<>();
            during(
                    journal,
                    "select first_hash, ids, offsets, times, kinds",
                    elsewhere(() -> {
                        journal.archives().forEach(archive -> dropped.add(archive.number()));
                        while (journal.store().purge(Duration.ofHours(1), 1000) > 0) {
                            // Until nothing is old.
                        }
                        journal.archives().forEach(archive -> dropped.remove(archive.number()));
                        journal.upkeep(0).run(() -> true);
                    }),
                    20);

            assertThat(dropped).isNotEmpty();
            long horizon = journal.head().horizonVersion();
            assertThat(journal.archives())
                    .allSatisfy(
                            archive -> assertThat(archive.span().firstVersion()).isGreaterThan(horizon));
            journal.upkeep(20).run(() -> true);
            journal.requireClean();
        }
    }

    /** A consumer holds the lock of the head until its handler is done, for longer than the builder waits for it. */
    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.17")
    void waitMoreThanOnceForAJournalThatOthersLock(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            journal.append(20);
            Meanwhile meanwhile = new Meanwhile(journal.pool);
            CompletableFuture<Void> isTriedAgain = new CompletableFuture<>();
            List<CompletableFuture<Void>> consumers = new ArrayList<>();
            meanwhile.before("insert into archives_archive_filter", connection -> {
                CompletableFuture<Void> isLocked = new CompletableFuture<>();
                consumers.add(CompletableFuture.runAsync(
                        () -> journal.store().transactions().inTransaction(() -> {
                            journal.jdbc.update("update archives_journal set partitions = 1");
                            isLocked.complete(null);
                            isTriedAgain.join();
                        })));
                isLocked.join();
                meanwhile.before("archive set renewed_micros", again -> {
                    isTriedAgain.complete(null);
                    consumers.forEach(CompletableFuture::join);
                });
            });

            ArchiveFixture.upkeep(meanwhile, 20).run(() -> true);

            assertThat(meanwhile.isOver()).isTrue();
            assertThat(journal.archives()).isNotEmpty();
            journal.requireHistory(INACCURACY);
            journal.requireClean();
        }
    }

    /** Both segments were committed by the handler. When the transaction ends, the first one is archived already, without its unproved message. */
    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.18")
    void endATransactionThatCommittedEarlyAndWouldProveWhatIsArchived(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            journal.pass(Duration.ofMinutes(29)); // to now: an archive spans a quarter of an hour
            journal.append(Kind.PROCESSED, Map.of(1L, UUID.randomUUID()));
            JournalStore store = journal.store();
            store.prepare(List.of(at("first", 10)));

            assertThatThrownBy(() -> store.transactions().inTransaction(() -> {
                        assertThat(store.claim(List.of(at("first", 10)))).allMatch(Claim::isGranted);
                        commit(journal);
                        assertThat(store.claim(List.of(at("second", 11), at("third", 12), at("fourth", 13))))
                                .allMatch(Claim::isGranted);
                        commit(journal);
                        buildWithoutCleaning(journal);
                        assertThat(journal.head().archivedVersion()).isEqualTo(2);
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(journal.said().keySet()).doesNotContain(StoredId.of("first"), StoredId.of("second"));
        }
    }

    /** The node dies when it begins to delete the segments. */
    private static void buildWithoutCleaning(ArchiveFixture journal) {
        Meanwhile dying = new Meanwhile(journal.pool);
        dying.before("delete from archives_segment", connection -> {
            throw new IllegalStateException("dead");
        });
        CompletableFuture<Void> build =
                CompletableFuture.runAsync(() -> ArchiveFixture.upkeep(dying, 2).run(() -> true));
        assertThatThrownBy(build::join).hasMessageContaining("dead");
    }

    /** The builder has left the unproved message out. Before it is done, the message is proved. */
    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.18")
    void doNotLeaveOutWhatIsProvedMeanwhile(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            journal.pass(Duration.ofMinutes(29)); // to now: an archive spans a quarter of an hour
            journal.append(Kind.PROCESSED, Map.of(1L, UUID.randomUUID()));
            JournalStore store = journal.store();
            store.prepare(List.of(at("first", 10)));
            CompletableFuture<Void> isReading = new CompletableFuture<>();
            CompletableFuture<Void> isProved = new CompletableFuture<>();
            List<CompletableFuture<Void>> builds = new ArrayList<>();

            store.transactions().inTransaction(() -> {
                assertThat(store.claim(List.of(at("first", 10)))).allMatch(Claim::isGranted);
                commit(journal);
                assertThat(store.claim(List.of(at("second", 11), at("third", 12), at("fourth", 13))))
                        .allMatch(Claim::isGranted);
                commit(journal);
                builds.add(CompletableFuture.runAsync(() -> during(
                        journal,
                        "insert into archives_archive_page",
                        connection -> {
                            isReading.complete(null);
                            isProved.join();
                        },
                        2)));
                isReading.join();
            });
            isProved.complete(null);
            builds.forEach(CompletableFuture::join);

            assertThat(journal.said().keySet())
                    .contains(StoredId.of("first"), StoredId.of("second"), StoredId.of("fourth"));
            journal.upkeep(2).run(() -> true);
            assertThat(journal.head().archivedVersion()).isEqualTo(2);
            assertThat(journal.said().keySet())
                    .contains(StoredId.of("first"), StoredId.of("second"), StoredId.of("fourth"));
        }
    }

    /** A failover: other segments have the versions that were read. */
    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.18")
    void areNotBuiltOfSegmentsThatTheDatabaseHasLost(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            journal.append(30);
            during(
                    journal,
                    "insert into archives_archive_page",
                    elsewhere(() -> journal.jdbc.update("update archives_segment set token = token + 1")),
                    20);

            assertThat(journal.archives()).isEmpty();
            journal.requireHistory(INACCURACY);
        }
    }

    private static void commit(ArchiveFixture journal) {
        Connection connection = DataSourceUtils.getConnection(journal.pool);
        try {
            connection.commit();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } finally {
            DataSourceUtils.releaseConnection(connection, journal.pool);
        }
    }
}

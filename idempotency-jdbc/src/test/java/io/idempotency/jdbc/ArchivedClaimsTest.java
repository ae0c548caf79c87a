package io.idempotency.jdbc;

import static io.idempotency.jdbc.JournalFixture.claimed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageRange;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** What a process knows and finds of messages that are in archives. */
class ArchivedClaimsTest {

    private static JournalFixture fixture(TestDatabase database) {
        return new JournalFixture(database, settings -> settings.archiveAfter(1));
    }

    private static void archive(JournalFixture fixture) {
        new Archiver(fixture.dataSource, JournalFixture.PREFIX).run();
    }

    /** Archives, and lets both processes learn of it. */
    private static void archiveAndLearn(JournalFixture fixture) {
        archive(fixture);
        fixture.one.archive(() -> true);
        fixture.other.archive(() -> true);
    }

    /** Two segments with ten messages each, so that the first one can be archived, in two partitions. */
    private static void fill(JournalFixture fixture) {
        claimed(fixture.one, poll(fixture, "a", 0));
        claimed(fixture.one, poll(fixture, "b", 10));
    }

    private static Delivery[] poll(JournalFixture fixture, String prefix, int from) {
        return IntStream.range(0, 20)
                .mapToObj(i -> fixture.at(prefix + i, i % 2, from + i / 2))
                .toArray(Delivery[]::new);
    }

    private static Delivery[] again(JournalFixture fixture, String prefix, int from) {
        return poll(fixture, prefix, from + 100);
    }

    private static long lookUps(JournalFixture fixture) {
        return fixture.counted.statements().stream()
                .filter(sql -> sql.contains("archive_page p"))
                .count();
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.20")
    void areLookedUpInOneStatementForAllPartitions(TestDatabase database) {
        try (JournalFixture fixture = fixture(database)) {
            fill(fixture);
            archiveAndLearn(fixture);

            fixture.counted.reset();
            assertThat(claimed(fixture.one, again(fixture, "a", 0))).containsOnly(Status.DUPLICATE);
            assertThat(lookUps(fixture)).isEqualTo(1);

            fixture.counted.reset();
            assertThat(claimed(fixture.one, again(fixture, "new", 0))).containsOnly(Status.GRANTED);
            assertThat(lookUps(fixture)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.20")
    void tellWhereAndHowAMessageWasSettled(TestDatabase database) {
        try (JournalFixture fixture = fixture(database)) {
            JournalStore store = fixture.one;
            claimed(store, fixture.at("processed", 0, 1), fixture.at("forgotten", 0, 2));
            store.transactions()
                    .inTransaction(() -> store.quarantine(
                            store.claim(List.of(fixture.at("bad", 0, 3))).get(0)));
            assertThat(store.forget(fixture.at("forgotten", 0, 2).id())).isTrue();
            claimed(store, fixture.at("last", 0, 4));
            archiveAndLearn(fixture);

            List<Claim> claims = new ArrayList<>();
            store.transactions()
                    .inTransaction(() -> claims.addAll(store.claim(List.of(
                            fixture.at("processed", 0, 11), fixture.at("bad", 0, 12), fixture.at("forgotten", 0, 2)))));

            assertThat(claims)
                    .extracting(Claim::status)
                    .containsExactly(Status.DUPLICATE, Status.QUARANTINED, Status.GRANTED);
            assertThat(claims.get(0).processed().orElseThrow().position().offset())
                    .isEqualTo(1);
            assertThat(claims.get(1).processed().orElseThrow().position().offset())
                    .isEqualTo(3);
        }
    }

    @Test
    @Tag("rule-4.20")
    void areNotBelievedByTheirFilterAlone() {
        try (JournalFixture fixture = fixture(TestDatabase.H2)) {
            claimed(
                    fixture.one,
                    IntStream.range(0, 300)
                            .mapToObj(i -> fixture.at("a" + i, 0, i))
                            .toArray(Delivery[]::new));
            claimed(fixture.one, fixture.at("last", 0, 300));
            archiveAndLearn(fixture);
            Delivery mistaken = fixture.at(mistaken(fixture), 0, 1000);

            fixture.counted.reset();
            assertThat(claimed(fixture.one, mistaken)).containsExactly(Status.GRANTED);
            assertThat(lookUps(fixture)).isEqualTo(1);
        }
    }

    /** Returns an id about which a filter is wrong: about one of 65,536. */
    private static String mistaken(JournalFixture fixture) {
        ArchiveList archives = fixture.archives();
        for (long first = 0; ; first += 1000) {
            Ids ids = new Ids(1000);
            for (int i = 0; i < 1000; i++) {
                ids.add(4 << 12, Long.MIN_VALUE + first + i);
            }
            var questions = archives.questions(ids, new JournalGeneration.Entry[1000], 0);
            if (!questions.isEmpty()) {
                return new UUID(4 << 12, questions.get(0).low()).toString();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.21")
    void areAskedAnewIfTheyWereMergedMeanwhile(TestDatabase database) {
        try (JournalFixture fixture = fixture(database)) {
            for (int i = 0; i < 6; i++) {
                claimed(fixture.one, fixture.at("m" + i, 0, i));
                archive(fixture);
                if (i == 3) {
                    fixture.one.archive(() -> true);
                }
            }
            assertThat(claimed(fixture.other, fixture.at("m0", 0, 20))).containsExactly(Status.DUPLICATE);

            Delivery[] all = IntStream.range(0, 6)
                    .mapToObj(i -> fixture.at("m" + i, 0, 30 + i))
                    .toArray(Delivery[]::new);
            fixture.counted.reset();
            assertThat(claimed(fixture.one, all)).containsOnly(Status.DUPLICATE);
            assertThat(lookUps(fixture)).isEqualTo(2);
            fixture.counted.reset();
            assertThat(claimed(fixture.one, all)).containsOnly(Status.DUPLICATE);
            assertThat(lookUps(fixture)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB"})
    @Tag("rule-4.22")
    void mustBeSeenByTheTransaction(TestDatabase database) {
        try (JournalFixture fixture = fixture(database)) {
            fill(fixture);
            TransactionTemplate snapshot =
                    fixture.isolated(fixture.one, TransactionDefinition.ISOLATION_REPEATABLE_READ);

            assertThatThrownBy(() -> snapshot.executeWithoutResult(status -> {
                        new JdbcTemplate(fixture.counted)
                                .queryForObject(
                                        "select count(*) from " + JournalFixture.PREFIX + "archive", Long.class);
                        Thread archiving = new Thread(() -> archiveAndLearn(fixture));
                        archiving.start();
                        join(archiving);
                        fixture.one.claim(List.of(again(fixture, "a", 0)));
                    }))
                    .isInstanceOf(TransientStoreException.class)
                    .hasMessageContaining("other archives");

            assertThat(claimed(fixture.one, again(fixture, "a", 0))).containsOnly(Status.DUPLICATE);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.23")
    void areReadByAWindowThatEndsWithinThem(TestDatabase database) {
        try (JournalFixture fixture = fixture(database)) {
            claimed(fixture.other, fixture.at("a", 0, 1));
            claimed(fixture.one, fixture.at("b", 0, 2));
            claimed(fixture.one, fixture.at("c", 0, 3));
            archiveAndLearn(fixture);
            claimed(fixture.one, fixture.at("d", 0, 4));

            Delivery[] known = {fixture.at("b", 0, 12), fixture.at("a", 0, 11), fixture.at("d", 0, 13)};
            assertThatThrownBy(() -> claimed(fixture.other, known)).isInstanceOf(TransientStoreException.class);
            assertThat(fixture.other.reloads()).isEqualTo(1);
            assertThat(claimed(fixture.other, known)).containsOnly(Status.DUPLICATE);
        }
    }

    @Test
    @Tag("rule-4.23")
    void areReadByAWindowThatWasEmpty() {
        try (JournalFixture fixture = fixture(TestDatabase.H2)) {
            fixture.other.prepare(List.of(fixture.at("a", 0, 1)));
            claimed(fixture.one, fixture.at("a", 0, 1));
            claimed(fixture.one, fixture.at("b", 0, 2));
            archiveAndLearn(fixture);

            Delivery[] known = {fixture.at("a", 0, 11), fixture.at("c", 0, 12)};
            assertThatThrownBy(() -> claimed(fixture.other, known)).isInstanceOf(TransientStoreException.class);
            assertThat(claimed(fixture.other, known)).containsExactly(Status.DUPLICATE, Status.GRANTED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.23")
    void takeThePlaceOfSegmentsInMemory(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database, settings -> settings.archiveAfter(500))) {
            for (int i = 0; i < 8; i++) {
                int from = 250 * i;
                claimed(
                        fixture.one,
                        IntStream.range(from, from + 250)
                                .mapToObj(j -> fixture.at("m" + j, 0, j))
                                .toArray(Delivery[]::new));
            }
            long before = fixture.one.memoryBytes();
            assertThat(fixture.one.archivedMessages()).isZero();

            fixture.one.archive(() -> true);

            assertThat(fixture.one.memoryBytes()).isLessThan(before * 2 / 3);
            assertThat(fixture.one.rememberedMessages()).isEqualTo(2000);
            assertThat(fixture.one.archivedMessages()).isEqualTo(1000);
            assertThat(claimed(fixture.one, fixture.at("m0", 0, 3000), fixture.at("m1999", 0, 3001)))
                    .containsOnly(Status.DUPLICATE);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.24")
    void spareTheReadingOfTheirSegments(TestDatabase database) {
        try (JournalFixture fixture = fixture(database)) {
            fill(fixture);
            archive(fixture);
            // As if its clean-up were not finished, with another message that nobody must see.
            fixture.insertSegment(1, "nobody");

            JournalStore restarted = fixture.store(UnaryOperator.identity());

            assertThat(claimed(restarted, again(fixture, "a", 0))).containsOnly(Status.DUPLICATE);
            assertThat(claimed(restarted, fixture.at("nobody", 0, 200))).containsExactly(Status.GRANTED);
            assertThat(restarted.rememberedMessages()).isEqualTo(41);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.25")
    void areSearchedByOnePageEach(TestDatabase database) {
        try (JournalFixture fixture = fixture(database)) {
            fill(fixture);
            archive(fixture);
            fixture.insertSegment(1, "nobody");

            assertThat(fixture.one
                            .find(fixture.at("a3", 1, 1).id())
                            .orElseThrow()
                            .position())
                    .isEqualTo(fixture.at("a3", 1, 1).position());
            assertThat(fixture.one.find(fixture.at("nobody", 0, 1).id())).isEmpty();
            assertThat(fixture.one
                            .messages()
                            .look(fixture.at("a4", 0, 2).id())
                            .orElseThrow()
                            .status())
                    .isEqualTo(MessageStatus.PROCESSED);
            assertThat(fixture.one.forget(fixture.at("a3", 1, 1).id())).isTrue();
            archiveAndLearn(fixture);
            assertThat(fixture.one.find(fixture.at("a3", 1, 1).id())).isEmpty();
            assertThat(claimed(fixture.other, fixture.at("a3", 1, 300), fixture.at("a5", 1, 301)))
                    .containsExactly(Status.GRANTED, Status.DUPLICATE);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.25")
    void areForgottenInRanges(TestDatabase database) {
        try (JournalFixture fixture = fixture(database)) {
            fill(fixture);
            archive(fixture);
            MessageRange range =
                    MessageRange.ofOffsets(fixture.at("a", 0, 0).id().consumer(), "orders", 0, 5, 14);

            assertThat(fixture.count(range)).isEqualTo(10);
            assertThat(fixture.forget(range)).isEqualTo(10);

            assertThat(fixture.count(range)).isZero();
            assertThat(claimed(fixture.one, fixture.at("a10", 0, 5), fixture.at("b8", 0, 14)))
                    .containsOnly(Status.GRANTED);
            assertThat(claimed(fixture.one, fixture.at("a8", 0, 4), fixture.at("b10", 0, 15), fixture.at("a11", 1, 5)))
                    .containsOnly(Status.DUPLICATE);
        }
    }

    @Test
    @Tag("rule-4.26")
    void areTheFirstToBeForgottenIfMemoryIsFull() {
        try (JournalFixture fixture = fixture(TestDatabase.H2)) {
            fill(fixture);
            archive(fixture);
            long all = restartedWith(fixture, Long.MAX_VALUE).memoryBytes();
            JournalStore small = fixture.store(
                    settings -> settings.memory(all - 1).forgetOldestIfFull().unjudged(Unjudged.PROCESS));

            small.prepare(List.of(again(fixture, "a", 0)));

            assertThat(small.memoryBytes()).isLessThan(all);
            assertThat(claimed(small, fixture.at("b0", 0, 10))).containsExactly(Status.DUPLICATE);
            assertThatThrownBy(() -> restartedWith(fixture, 1)).hasMessageContaining("1 MB of memory");

            JournalStore tiny = fixture.store(
                    settings -> settings.memory(1).forgetOldestIfFull().unjudged(Unjudged.SKIP));
            assertThat(claimed(tiny, fixture.at("a0", 0, 0)))
                    .as("as if its archive were purged")
                    .containsExactly(Status.DUPLICATE);
        }
    }

    private static JournalStore restartedWith(JournalFixture fixture, long bytes) {
        JournalStore store = fixture.store(settings -> settings.memory(bytes).retention(Duration.ofDays(1)));
        store.prepare(List.of(again(fixture, "a", 0)));
        return store;
    }
}

package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Operations;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcAudit;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.TableStore;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.Delivery;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantinedMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Two nodes replay everything that is in quarantine, and one of them is killed in the middle; new messages are consumed beside them. {@code -Dmessages=100000} sets how
 * many, {@code -Drate=} how many a second. Prints how long a page and the groups took meanwhile.
 */
@Tag("rule-9.19")
class ReplayAtScaleTest {

    private static final int MESSAGES = Integer.getInteger("messages", 500);
    private static final int RATE = Integer.getInteger("rate", 1_000);
    private static final int POLL = 100;
    private static final long TICK_MILLIS = 100;
    private static final int PAGE = 50;

    private final Database database = Database.at(TestDatabase.POSTGRESQL.url());
    private final HikariDataSource pool = database.pool(4);
    private final JdbcTemplate jdbc = new JdbcTemplate(pool);
    private final JdbcQuarantine quarantine = JdbcQuarantine.on(pool).tablePrefix(Ledger.PREFIX);
    private final JdbcReplays replays = JdbcReplays.on(pool).tablePrefix(Ledger.PREFIX);
    private long consumed;
    private long pages;
    private long slowestPage;

    @Test
    void goesOnByItselfWhenANodeIsKilled(@TempDir Path folder) throws Exception {
        Servers.createTables(pool);
        TableStore store = TableStore.builder(pool).tablePrefix(Ledger.PREFIX).build();
        Operations operations =
                Operations.of(store, quarantine, replays, JdbcAudit.on(pool).tablePrefix(Ledger.PREFIX));
        long began = System.nanoTime();
        assertThat(operations
                        .importQuarantined(
                                ScaleLife.CONSUMER,
                                LongStream.range(0, MESSAGES)
                                        .mapToObj(ReplayAtScaleTest::broken)
                                        .iterator(),
                                false,
                                "INC-42",
                                read -> {})
                        .added())
                .isEqualTo(MESSAGES);
        System.out.printf("%,d messages imported in %.1f s%n", MESSAGES, seconds(began));
        jdbc.execute("analyze");

        ScheduledExecutorService beside = Executors.newScheduledThreadPool(2);
        try (ChildProcess first = node(folder.resolve("first"));
                ChildProcess second = node(folder.resolve("second"));
                IdempotentConsumer<Delivery> live = ScaleLife.consumer(pool)) {
            ScheduledFuture<?> consuming =
                    beside.scheduleAtFixedRate(() -> consumeNew(live), TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
            ScheduledFuture<?> looking =
                    beside.scheduleWithFixedDelay(this::look, 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
            Replay replay = operations.replay(
                    ReplayRequest.of(QuarantineSelection.of(ScaleLife.CONSUMER)).perSecond(RATE), "INC-42");
            began = System.nanoTime();

            await().atMost(Duration.ofMinutes(30)).until(() -> progress(replay).processed() > MESSAGES / 3);
            first.kill();
            System.out.printf(
                    "a node was killed after %,d messages%n", progress(replay).processed());
            await().atMost(Duration.ofMinutes(30))
                    .until(() -> replays.find(replay.request().id())
                            .orElseThrow()
                            .endedAt()
                            .isPresent());
            System.out.printf(
                    "%,d messages replayed in %.1f s, at most %,d a second%n", MESSAGES, seconds(began), RATE);
            assertThat(second.isAlive()).as(second.said()).isTrue();
            assertThat(consuming.cancel(false)).as("no message failed").isTrue();
            assertThat(looking.cancel(false)).as("each page was read").isTrue();
        } finally {
            beside.shutdown();
            assertThat(beside.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        }

        System.out.printf(
                "%,d new messages consumed meanwhile; %,d times a page of %d and the groups were read, in %d ms at most%n",
                consumed, pages, PAGE, slowestPage / 1_000_000);
        assertThat(quarantine.totals()).doesNotContainKey(ScaleLife.CONSUMER);
        assertThat(count("count(*)")).isEqualTo(MESSAGES + consumed);
        assertThat(count("count(distinct message)")).isEqualTo(MESSAGES + consumed);
        pool.close();
    }

    private ChildProcess node(Path output) {
        return ChildProcess.start(ScaleLife.class, List.of(), database.environment(), output);
    }

    private static QuarantinedMessage broken(long number) {
        Delivery delivery = ScaleLife.delivery(number);
        String type = number % 3 == 0 ? "java.sql.SQLException" : "java.lang.IllegalStateException";
        return new QuarantinedMessage(
                delivery,
                ScaleLife.payload(delivery.id().value()),
                new QuarantineFailure(type, "g-" + number % 7, type + ": no\n\tat Billing.charge(Billing.java:31)"),
                5);
    }

    private void consumeNew(IdempotentConsumer<Delivery> live) {
        Ledger effects = new Ledger(JdbcTransactions.on(pool).dataSource());
        List<Delivery> poll = LongStream.range(MESSAGES + consumed, MESSAGES + consumed + POLL)
                .mapToObj(ScaleLife::delivery)
                .toList();
        var unused = live.consumeAll(
                poll,
                (message, claim) ->
                        effects.effect(ScaleLife.CONSUMER, message.id().value()));
        consumed += POLL;
    }

    private void look() {
        long began = System.nanoTime();
        QuarantineSelection all = QuarantineSelection.of(ScaleLife.CONSUMER);
        var unusedPage = quarantine.list(all, Optional.empty(), PAGE);
        var unusedGroups = quarantine.count(all);
        slowestPage = Math.max(slowestPage, System.nanoTime() - began);
        pages++;
    }

    private Replay.Progress progress(Replay replay) {
        return replays.find(replay.request().id()).orElseThrow().progress();
    }

    private long count(String what) {
        return Objects.requireNonNull(jdbc.queryForObject(
                "select " + what + " from crash_effect where cell = '" + ScaleLife.CONSUMER + "'", Long.class));
    }

    private static double seconds(long began) {
        return (System.nanoTime() - began) / 1e9;
    }
}

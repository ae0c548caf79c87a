package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.ConsistencyLevel;
import io.idempotency.LastDeliveryException;
import io.idempotency.database.Database;
import io.idempotency.jdbc.GuaranteesSection;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.store.MessageId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.util.FileSystemUtils;

/** Processes with members of a share group die at each point, and others go on. Each effect is counted. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShareCrashTest {

    private static final int MESSAGES = 40;
    /** One in ten was sent twice. */
    private static final List<String> SENT = Stream.concat(
                    IntStream.range(0, MESSAGES).mapToObj(i -> "m" + i), Stream.of("m1", "m12", "m20", "m39"))
            .toList();

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private record Cell(ShareLife.Point point, ConsistencyLevel level) {}

    /**
     * What became of the messages.
     *
     * @param effects how often each message had its effect
     */
    private record Seen(Map<String, Integer> effects, int calls, boolean isQuarantined, int deaths) {

        int ofTarget() {
            return effects.getOrDefault(ShareLife.TARGET, 0);
        }
    }

    private final Servers servers = Servers.beside(Database.at(TestDatabase.POSTGRESQL.url()));
    private final Path folder;
    private final Map<Cell, Seen> seen = new HashMap<>();

    ShareCrashTest() throws IOException {
        folder = Path.of(System.getProperty("basedir", ""))
                .toAbsolutePath()
                .resolve("target/share-" + io.idempotency.crash.Cell.RUN);
        Files.createDirectories(folder);
    }

    @AfterAll
    void close() throws IOException {
        servers.close();
        FileSystemUtils.deleteRecursively(folder);
    }

    private Seen seen(ShareLife.Point point, ConsistencyLevel level) {
        return seen.computeIfAbsent(new Cell(point, level), this::run);
    }

    private Seen run(Cell cell) {
        String topic = "s" + UUID.randomUUID().toString().substring(0, 8);
        servers.beginAtFirst(topic);
        servers.send(topic, SENT);
        List<ChildProcess> all = new ArrayList<>();
        List<ChildProcess> living = new ArrayList<>();
        try {
            start(topic, cell, all, living);
            start(topic, cell, all, living);
            if (cell.point() == ShareLife.Point.STANDS_STILL) {
                standStill(topic, cell.level(), living);
            }
            await().atMost(PATIENCE).until(() -> {
                for (ChildProcess dead :
                        living.stream().filter(child -> !child.isAlive()).toList()) {
                    assertThat(dead.exitCode()).as(dead.said()).isEqualTo(Halt.CODE);
                    living.remove(dead);
                    start(topic, cell, all, living);
                }
                return servers.isShared(topic);
            });
            // One may halt behind its last acknowledgment.
            living.forEach(child -> assertThat(child.end()).as(child.said()).isIn(0, Halt.CODE));
        } finally {
            all.forEach(ChildProcess::close);
        }
        Ledger ledger = new Ledger(servers.dataSource());
        Map<String, Integer> effects = new HashMap<>();
        effects(topic).forEach(message -> effects.merge(message, 1, Integer::sum));
        return new Seen(
                effects,
                ledger.calls(topic, ShareLife.TARGET),
                JdbcQuarantine.on(servers.dataSource())
                        .tablePrefix(Ledger.PREFIX)
                        .find(new MessageId(topic, ShareLife.TARGET))
                        .filter(entry -> entry.message().failure().type().equals(LastDeliveryException.class.getName()))
                        .isPresent(),
                (int) all.stream()
                        .filter(child -> child.exitCode() == Halt.CODE)
                        .count());
    }

    private List<String> effects(String topic) {
        return new JdbcTemplate(servers.dataSource())
                .queryForList("select message from crash_effect where cell = ?", String.class, topic);
    }

    private void start(String topic, Cell cell, List<ChildProcess> all, List<ChildProcess> living) {
        ChildProcess child = ChildProcess.start(
                ShareLife.class,
                ShareLife.arguments(topic, cell.point(), cell.level(), servers.bootstrap()),
                servers.environment(),
                folder.resolve(topic + "-" + all.size()));
        all.add(child);
        living.add(child);
    }

    private void standStill(String topic, ConsistencyLevel level, List<ChildProcess> living) {
        await().atMost(PATIENCE)
                .until(() -> living.stream().anyMatch(child -> child.said().contains(ShareLife.STANDS)));
        ChildProcess standing = living.stream()
                .filter(child -> child.said().contains(ShareLife.STANDS))
                .findFirst()
                .orElseThrow();
        ChildProcess other =
                living.stream().filter(child -> child != standing).findFirst().orElseThrow();
        // One slow record holds back no other one.
        await().atMost(PATIENCE)
                .until(() -> effects(topic).stream()
                                .distinct()
                                .filter(message -> !message.equals(ShareLife.TARGET))
                                .count()
                        == MESSAGES - 1);
        standing.signal("STOP");
        // Under STRONG the open transaction is in the way of the other one; a lease ends.
        await().atMost(PATIENCE)
                .until(() -> level == ConsistencyLevel.STRONG
                        ? other.said().lines().filter(ShareLife.WAITS::equals).count() > 2
                        : new Ledger(servers.dataSource()).calls(topic, ShareLife.TARGET) > 1);
        new Ledger(servers.dataSource()).call(topic, ShareLife.GO);
        standing.signal("CONT");
    }

    @Test
    @Tag("rule-14.2")
    @Tag("rule-14.5")
    void underStrongEachEffectIsThereOnceWhereverAProcessDies() {
        for (ShareLife.Point point : ShareLife.Point.values()) {
            Seen there = seen(point, ConsistencyLevel.STRONG);
            boolean isPoison = point == ShareLife.Point.POISON;

            assertThat(there.effects()).as("%s", point).hasSize(isPoison ? MESSAGES - 1 : MESSAGES);
            assertThat(there.effects().values()).as("%s", point).containsOnly(1);
            assertThat(there.isQuarantined()).as("%s", point).isEqualTo(isPoison);
            if (point != ShareLife.Point.STANDS_STILL && point != ShareLife.Point.ACKNOWLEDGED) {
                assertThat(there.deaths()).as("%s", point).isPositive();
            }
        }
    }

    @Test
    @Tag("rule-14.2")
    void underAtLeastOnceNoEffectIsMissingWhereverAProcessDies() {
        for (ShareLife.Point point : ShareLife.Point.values()) {
            Seen there = seen(point, ConsistencyLevel.AT_LEAST_ONCE);
            boolean isPoison = point == ShareLife.Point.POISON;

            assertThat(there.effects()).as("%s", point).hasSize(isPoison ? MESSAGES - 1 : MESSAGES);
            assertThat(there.isQuarantined()).as("%s", point).isEqualTo(isPoison);
        }
    }

    @Test
    @Tag("rule-14.4")
    void poisonThatKillsEveryProcessIsInQuarantineWhenTheBrokerGivesItUp() {
        for (ConsistencyLevel level : List.of(ConsistencyLevel.STRONG, ConsistencyLevel.AT_LEAST_ONCE)) {
            Seen there = seen(ShareLife.Point.POISON, level);

            assertThat(there.isQuarantined()).isTrue();
            // Five times, but the broker may forget a delivery when all members have died, and a lock may run out
            // before the handler runs.
            assertThat(there.deaths()).isGreaterThan(1);
        }
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        StringBuilder table = new StringBuilder("""
                | the process halts | `STRONG` | `AT_LEAST_ONCE` |
                |---|---|---|
                """);
        for (ShareLife.Point point : ShareLife.Point.values()) {
            table.append("| %s | %s | %s |\n"
                    .formatted(
                            point.title,
                            text(seen(point, ConsistencyLevel.STRONG)),
                            text(seen(point, ConsistencyLevel.AT_LEAST_ONCE))));
        }
        GuaranteesSection.assertSays("share groups", table.toString().strip());
    }

    private static String text(Seen seen) {
        return seen.isQuarantined()
                ? "effects **%d**, in quarantine".formatted(seen.ofTarget())
                : "effects **%d**, calls %d".formatted(seen.ofTarget(), seen.calls());
    }
}

package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.database.Database;
import io.idempotency.jdbc.GuaranteesSection;
import io.idempotency.jdbc.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.util.FileSystemUtils;

/** A process that gathers polls to batches ends at each point, and another one follows, which polls and gathers other runs of records. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GatherCrashTest {

    private static final int MESSAGES = 30;
    /** One of them was sent twice. */
    private static final List<String> SENT = Stream.concat(
                    IntStream.range(0, MESSAGES).mapToObj(i -> "m" + i), Stream.of("m9"))
            .toList();

    private final Servers servers = Servers.beside(Database.at(TestDatabase.POSTGRESQL.url()));
    private final Path folder;
    private final Map<GatherLife.Point, List<String>> seen = new EnumMap<>(GatherLife.Point.class);

    GatherCrashTest() throws IOException {
        folder = Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/gather-" + Cell.RUN);
        Files.createDirectories(folder);
    }

    @AfterAll
    void close() throws IOException {
        servers.close();
        FileSystemUtils.deleteRecursively(folder);
    }

    private ChildProcess start(String topic, GatherLife.Point point, int life) {
        return ChildProcess.start(
                GatherLife.class,
                GatherLife.arguments(topic, point, life, servers.bootstrap(), SENT.size()),
                servers.environment(),
                folder.resolve(topic + "-" + life));
    }

    /** Returns the effects of all lives. */
    private List<String> seen(GatherLife.Point point) {
        return seen.computeIfAbsent(point, this::run);
    }

    private List<String> run(GatherLife.Point point) {
        String topic = "g" + UUID.randomUUID().toString().substring(0, 8);
        servers.send(topic, SENT);
        try (ChildProcess first = start(topic, point, 1)) {
            if (point.isDeadly()) {
                await().atMost(Duration.ofMinutes(2)).until(() -> !first.isAlive());
                assertThat(first.exitCode()).as(first.said()).isEqualTo(Halt.CODE);
            } else {
                await().atMost(Duration.ofMinutes(2)).until(() -> first.said().contains(GatherLife.GATHERED_ALL));
                assertThat(effects(topic)).isEmpty();
            }
            if (point == GatherLife.Point.CLOSED) {
                assertThat(first.end()).as(first.said()).isZero();
            }
            if (point == GatherLife.Point.STANDS_STILL) {
                first.signal("STOP");
            }
            follow(topic, point);
            if (point == GatherLife.Point.STANDS_STILL) {
                first.signal("CONT");
                assertThat(first.end()).as(first.said()).isZero();
            }
        }
        return effects(topic);
    }

    private void follow(String topic, GatherLife.Point point) {
        try (ChildProcess next = start(topic, point, 2)) {
            await().atMost(Duration.ofMinutes(2)).until(() -> {
                assertThat(next.isAlive()).as(next.said()).isTrue();
                return servers.isSettled(topic, SENT.size());
            });
            assertThat(next.end()).as(next.said()).isZero();
        }
    }

    private List<String> effects(String topic) {
        return new JdbcTemplate(servers.dataSource())
                .queryForList("select message from crash_effect where cell = ?", String.class, topic);
    }

    @Test
    @Tag("rule-13.6")
    void everyEffectIsThereOnceWhereverItEnds() {
        for (GatherLife.Point point : GatherLife.Point.values()) {
            assertThat(seen(point)).as("%s", point).hasSize(MESSAGES).doesNotHaveDuplicates();
        }
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        StringBuilder table = new StringBuilder("""
                | the process | effects | different effects |
                |---|---|---|
                """);
        for (GatherLife.Point point : GatherLife.Point.values()) {
            List<String> effects = seen(point);
            table.append("| %s | **%d** | **%d** |\n"
                    .formatted(point.title, effects.size(), Set.copyOf(effects).size()));
        }
        GuaranteesSection.assertSays("gathering", table.toString().strip());
    }
}

package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.database.Database;
import io.idempotency.jdbc.GuaranteesSection;
import io.idempotency.jdbc.JdbcRanges;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.ranges.Range;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.util.FileSystemUtils;

/** A process that loads a topic in ranges into a sink without transactions halts at each point, and another one follows, which polls other runs of records. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RangeCrashTest {

    private static final int MESSAGES = 30;
    /** One of them was sent twice. */
    private static final List<String> SENT = Stream.concat(
                    IntStream.range(0, MESSAGES).mapToObj(i -> "m" + i), Stream.of("m9"))
            .toList();

    /** What was seen: the rows of the sink, and how many objects they are in. */
    private record Seen(List<String> rows, int objects) {}

    private final Servers servers = Servers.beside(Database.at(TestDatabase.POSTGRESQL.url()));
    private final Path folder;
    private final Map<RangeLife.Point, Seen> seen = new EnumMap<>(RangeLife.Point.class);

    RangeCrashTest() throws IOException {
        folder = Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/ranges-" + Cell.RUN);
        Files.createDirectories(folder);
    }

    @AfterAll
    void close() throws IOException {
        servers.close();
        FileSystemUtils.deleteRecursively(folder);
    }

    private String topic() {
        String topic = "r" + UUID.randomUUID().toString().substring(0, 8);
        servers.send(topic, SENT);
        return topic;
    }

    private Path sink(String topic) {
        try {
            return Files.createDirectories(folder.resolve(topic));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ChildProcess start(String topic, RangeLife.Point point, int life) {
        return ChildProcess.start(
                RangeLife.class,
                RangeLife.arguments(topic, point, life, servers.bootstrap(), sink(topic)),
                servers.environment(),
                folder.resolve(topic + "-" + life));
    }

    private void die(String topic, RangeLife.Point point) {
        try (ChildProcess first = start(topic, point, 1)) {
            await().atMost(Duration.ofMinutes(2)).until(() -> !first.isAlive());
            assertThat(first.exitCode()).as(first.said()).isEqualTo(Halt.CODE);
        }
    }

    private Seen seen(RangeLife.Point point) {
        return seen.computeIfAbsent(point, this::run);
    }

    private Seen run(RangeLife.Point point) {
        String topic = topic();
        die(topic, point);
        follow(topic, point);
        assertThat(JdbcRanges.on(servers.dataSource())
                        .tablePrefix(Ledger.PREFIX)
                        .open(topic))
                .isEmpty();
        return loaded(topic);
    }

    private void follow(String topic, RangeLife.Point point) {
        try (ChildProcess next = start(topic, point, 2)) {
            await().atMost(Duration.ofMinutes(2)).until(() -> {
                assertThat(next.isAlive()).as(next.said()).isTrue();
                return servers.isSettled(topic, SENT.size());
            });
            assertThat(next.end()).as(next.said()).isZero();
        }
    }

    private Seen loaded(String topic) {
        List<String> rows = new ArrayList<>();
        int objects = 0;
        try (Stream<Path> all = Files.list(sink(topic))) {
            for (Path object :
                    all.filter(path -> !path.toString().endsWith(".part")).toList()) {
                rows.addAll(Files.readAllLines(object));
                objects++;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Seen(rows, objects);
    }

    @Test
    @Tag("rule-13.1")
    @Tag("rule-13.2")
    @Tag("rule-13.3")
    void everyRowIsThereOnceWhereverItHalts() {
        for (RangeLife.Point point : RangeLife.Point.values()) {
            assertThat(seen(point).rows()).as("%s", point).hasSize(MESSAGES).doesNotHaveDuplicates();
        }
    }

    /** Kafka has deleted the records of a range that was recorded and not written. */
    @Test
    @Tag("rule-13.4")
    void standsStillIfTheRecordsOfARangeAreGoneUntilSomebodyEndsIt() throws ExecutionException, InterruptedException {
        String topic = topic();
        die(topic, RangeLife.Point.BEFORE_WRITE);
        JdbcRanges ranges = JdbcRanges.on(servers.dataSource()).tablePrefix(Ledger.PREFIX);
        Range open = ranges.open(topic).get(0);
        assertThat(open.firstOffset()).isEqualTo(7);
        assertThat(open.size()).isEqualTo(7);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers.bootstrap()))) {
            admin.deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(10)))
                    .all()
                    .get();
        }
        try (ChildProcess next = start(topic, RangeLife.Point.BEFORE_WRITE, 2)) {
            await().atMost(Duration.ofMinutes(2)).until(() -> next.said().contains("no longer has its first records"));
            assertThat(next.said()).contains(open.token()).contains("RangeStore.done");
            assertThat(servers.isSettled(topic, SENT.size())).isFalse();
        }
        ranges.done(open);
        follow(topic, RangeLife.Point.BEFORE_WRITE);
        Set<String> gone = Set.of("m7", "m8", "m9", "m10", "m11", "m12", "m13");
        assertThat(loaded(topic).rows())
                .doesNotHaveDuplicates()
                .hasSize(MESSAGES - gone.size())
                .doesNotContainAnyElementsOf(gone);
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        StringBuilder table = new StringBuilder("""
                | the process halts | rows in the sink | different rows |
                |---|---|---|
                """);
        Map<RangeLife.Point, String> titles = new EnumMap<>(Map.of(
                RangeLife.Point.BEFORE_RECORD, "before the range is recorded",
                RangeLife.Point.BEFORE_WRITE, "after it is recorded, before the write",
                RangeLife.Point.IN_WRITE, "in the middle of the write",
                RangeLife.Point.BEFORE_DONE, "after the write, before it is done",
                RangeLife.Point.DONE, "after it is done, before the offset commit"));
        for (RangeLife.Point point : RangeLife.Point.values()) {
            List<String> rows = seen(point).rows();
            table.append("| %s | **%d** | **%d** |\n"
                    .formatted(
                            Objects.requireNonNull(titles.get(point)),
                            rows.size(),
                            Set.copyOf(rows).size()));
        }
        GuaranteesSection.assertSays("ranges", table.toString().strip());
    }
}

package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.database.Database;
import io.idempotency.jdbc.GuaranteesSection;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TestDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.util.FileSystemUtils;

/** A process with answers, steps or outputs halts at each point of its work, and another one follows. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledOnOs({OS.LINUX, OS.MAC}) // it stops a process by a signal
class BeyondCrashTest {

    /** What was seen: of the handler, of its effect, and what was told or sent. */
    private record Seen(int calls, List<String> effects, List<String> told) {}

    private final Servers servers = Servers.beside(Database.at(TestDatabase.POSTGRESQL.url()));
    private final Path folder;
    private final Map<BeyondCell.Act, Map<BeyondCell.Point, Seen>> seen = new EnumMap<>(BeyondCell.Act.class);

    BeyondCrashTest() throws IOException {
        folder = Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/beyond-" + Cell.RUN);
        Files.createDirectories(folder);
    }

    @AfterAll
    void close() throws IOException {
        servers.close();
        FileSystemUtils.deleteRecursively(folder);
    }

    private Map<BeyondCell.Point, Seen> seen(BeyondCell.Act act) {
        return seen.computeIfAbsent(act, this::run);
    }

    private Map<BeyondCell.Point, Seen> run(BeyondCell.Act act) {
        Map<BeyondCell.Point, Seen> all = new EnumMap<>(BeyondCell.Point.class);
        act.points().forEach(point -> all.put(point, run(BeyondCell.of(act, point))));
        return all;
    }

    private Seen run(BeyondCell cell) {
        if (cell.act() == BeyondCell.Act.OUTPUT) {
            Schema.on(servers.dataSource()).tablePrefix(cell.prefix()).create();
            servers.send(cell.name(), List.of());
        }
        List<String> told = new ArrayList<>();
        if (cell.point() == BeyondCell.Point.STALLED) {
            told.addAll(stallAndFollow(cell));
        } else {
            try (ChildProcess first = start(cell, 1)) {
                assertThat(first.end()).as(first.said()).isEqualTo(Halt.CODE);
            }
            // The caller asks twice.
            told.addAll(live(cell, 2));
            told.addAll(live(cell, 3));
        }
        JdbcTemplate jdbc = new JdbcTemplate(servers.dataSource());
        List<String> effects =
                jdbc.queryForList("select message from crash_effect where cell = ?", String.class, cell.name());
        int calls = new Ledger(servers.dataSource()).calls(cell.name(), BeyondCell.MESSAGE);
        return new Seen(calls, effects, cell.act() == BeyondCell.Act.OUTPUT ? received(cell.name()) : told);
    }

    private ChildProcess start(BeyondCell cell, int life) {
        return ChildProcess.start(
                BeyondLife.class,
                BeyondLife.arguments(cell, life, servers.bootstrap()),
                servers.environment(),
                folder.resolve(cell.name() + "-" + life));
    }

    private List<String> live(BeyondCell cell, int life) {
        try (ChildProcess process = start(cell, life)) {
            assertThat(process.end()).as(process.said()).isZero();
            return told(process);
        }
    }

    private static List<String> told(ChildProcess process) {
        return process.said()
                .lines()
                .filter(line -> line.startsWith(BeyondLife.TOLD))
                .map(line -> line.substring(BeyondLife.TOLD.length()))
                .toList();
    }

    /** The first process stands still in its step, as one that the garbage collector stops, until the second one is done. */
    private List<String> stallAndFollow(BeyondCell cell) {
        try (ChildProcess late = start(cell, 1)) {
            await().atMost(Duration.ofMinutes(2)).until(() -> late.said().contains("in the step"));
            late.signal("STOP");
            List<String> told = new ArrayList<>(live(cell, 2));
            late.signal("CONT");
            assertThat(late.end()).as(late.said()).isZero();
            told(late).stream().filter(line -> !line.equals("in the step")).forEach(told::add);
            return told;
        }
    }

    private List<String> received(String topic) {
        List<String> ids = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", servers.bootstrap()), new StringDeserializer(), new StringDeserializer())) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = Objects.requireNonNull(
                    consumer.endOffsets(List.of(partition)).get(partition));
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    ids.add(new String(record.headers().lastHeader("message-id").value(), StandardCharsets.UTF_8));
                }
            }
        }
        return ids;
    }

    @Test
    void anAnswerIsThatOfTheOneEffect() {
        seen(BeyondCell.Act.ANSWER).forEach((point, cell) -> {
            assertThat(cell.effects()).as("%s", point).hasSize(1);
            assertThat(Set.copyOf(cell.told())).as("%s", point).hasSize(1);
        });
    }

    @Test
    void allCallersGetTheAnswerThatWasStored() {
        seen(BeyondCell.Act.LEASED_ANSWER)
                .forEach((point, cell) ->
                        assertThat(Set.copyOf(cell.told())).as("%s", point).hasSize(1));
    }

    @Test
    void aStepHasOneKeyAndIsNotCalledAgainOnceItIsRecorded() {
        Map<BeyondCell.Point, Seen> steps = seen(BeyondCell.Act.STEPS);
        steps.forEach((point, cell) ->
                assertThat(Set.copyOf(cell.effects())).as("%s", point).hasSize(1));
        assertThat(Objects.requireNonNull(steps.get(BeyondCell.Point.STORED)).effects())
                .hasSize(1);
        assertThat(Objects.requireNonNull(steps.get(BeyondCell.Point.DONE)).effects())
                .hasSize(1);
        assertThat(Objects.requireNonNull(steps.get(BeyondCell.Point.STALLED)).told())
                .as("the late owner is told that the lease is not its own, and then finds a duplicate")
                .containsExactly("PROCESSED", "TransientStoreException", "DUPLICATE");
    }

    @Test
    void anOutputHasOneIdAndOneEffect() {
        seen(BeyondCell.Act.OUTPUT).forEach((point, cell) -> {
            assertThat(cell.effects()).as("%s", point).hasSize(1);
            assertThat(Set.copyOf(cell.told())).as("%s", point).hasSize(1);
        });
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        StringBuilder table = new StringBuilder("""
                | the process halts | `STRONG` with an answer | `AT_LEAST_ONCE` with an answer |
                |---|---|---|
                """);
        row(table, "in the handler, before its effect", BeyondCell.Point.BEFORE_EFFECT);
        row(table, "in the handler, after its effect", BeyondCell.Point.AFTER_EFFECT);
        row(table, "after the answer is stored", BeyondCell.Point.STORED);
        row(table, "before the commit", BeyondCell.Point.BEFORE_COMMIT);
        row(table, "at the end, before the caller has the answer", BeyondCell.Point.DONE);
        table.append("""

                | the process | calls of the handler | a receiver that knows keys | one that does not |
                |---|---|---|---|
                """);
        step(table, "halts before the call of the step", BeyondCell.Point.BEFORE_EFFECT);
        step(table, "halts after the call, before its record", BeyondCell.Point.AFTER_EFFECT);
        step(table, "halts after the record", BeyondCell.Point.STORED);
        step(table, "halts at the end of the handler", BeyondCell.Point.DONE);
        step(table, "stands still in the step until another has done it", BeyondCell.Point.STALLED);
        table.append("""

                | the process halts | effects | records in Kafka | ids of them |
                |---|---|---|---|
                """);
        output(table, "in the handler, before the output", BeyondCell.Point.BEFORE_EFFECT);
        output(table, "in the handler, after it", BeyondCell.Point.AFTER_EFFECT);
        output(table, "before the commit", BeyondCell.Point.BEFORE_COMMIT);
        output(table, "after the commit, before the send", BeyondCell.Point.DONE);
        output(table, "after the send, before the deletion", BeyondCell.Point.SENT);
        GuaranteesSection.assertSays("effects beyond a row", table.toString().strip());
    }

    private void row(StringBuilder table, String title, BeyondCell.Point point) {
        table.append("| ").append(title).append(" |");
        for (BeyondCell.Act act : List.of(BeyondCell.Act.ANSWER, BeyondCell.Act.LEASED_ANSWER)) {
            Seen cell = seen(act).get(point);
            if (cell == null) {
                table.append(" – |");
            } else {
                Set<String> answers = new LinkedHashSet<>(cell.told());
                table.append(" effects **%d**, calls %d, answers **%d** |"
                        .formatted(cell.effects().size(), cell.calls(), answers.size()));
            }
        }
        table.append('\n');
    }

    private void step(StringBuilder table, String title, BeyondCell.Point point) {
        Seen cell = Objects.requireNonNull(seen(BeyondCell.Act.STEPS).get(point));
        table.append("| %s | %d | **%d** | **%d** |\n"
                .formatted(
                        title,
                        cell.calls(),
                        Set.copyOf(cell.effects()).size(),
                        cell.effects().size()));
    }

    private void output(StringBuilder table, String title, BeyondCell.Point point) {
        Seen cell = Objects.requireNonNull(seen(BeyondCell.Act.OUTPUT).get(point));
        table.append("| %s | **%d** | %d | **%d** |\n"
                .formatted(
                        title,
                        cell.effects().size(),
                        cell.told().size(),
                        Set.copyOf(cell.told()).size()));
    }
}

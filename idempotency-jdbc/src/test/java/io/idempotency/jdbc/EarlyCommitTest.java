package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.EarlyCommitScene.Cell;
import io.idempotency.jdbc.EarlyCommitScene.Fate;
import io.idempotency.jdbc.EarlyCommitScene.Shape;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A handler that commits the transaction of its claim, in every way, on every database, with both stores. */
@Tag("rule-1.7")
class EarlyCommitTest {

    /** A folder for a database that outlives the process around it. */
    @TempDir
    static Path folder;

    private static final List<TestDatabase> DATABASES =
            List.of(TestDatabase.POSTGRESQL, TestDatabase.MARIADB, TestDatabase.H2);

    /** How often the effects are there, by the place of a message in the poll: begun and finished. */
    record Seen(String before, String breaker, String behind, boolean isQuarantined, boolean isTold) {}

    @ParameterizedTest
    @EnumSource(Shape.class)
    void losesNothingIfTheHandlerReturns(Shape shape) {
        cells(shape, Fate.RETURNS)
                .forEach((cell, seen) ->
                        assertThat(seen).as(cell.toString()).isEqualTo(new Seen("1", "1", "1", false, true)));
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void quarantinesAMessageWhoseHandlerFailsAndTakesNoOtherForProcessed(Shape shape) {
        cells(shape, Fate.FAILS).forEach((cell, seen) -> {
            if (cell.way() != EarlyCommit.AUTO_COMMIT) {
                assertThat(seen.breaker()).as(cell.toString()).endsWith(" + 0");
            }
            assertThat(seen.behind()).as(cell.toString()).isEqualTo("1");
            assertThat(seen.isQuarantined()).as(cell.toString()).isTrue();
            assertThat(seen.isTold()).as(cell.toString()).isTrue();
            if (shape == Shape.ONE) {
                assertThat(seen.before()).as(cell.toString()).isEqualTo("1");
            }
        });
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void takesNothingForProcessedThatADeadProcessDidNotProve(Shape shape) {
        cells(shape, Fate.DIES).forEach((cell, seen) -> {
            assertThat(seen.breaker()).as(cell.toString()).isEqualTo("2 + 1");
            assertThat(seen.behind()).as(cell.toString()).isEqualTo("1");
        });
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        StringBuilder table = new StringBuilder("""
                | the handler commits, and then | | a transaction for each message | for a chunk | for a batch |
                |---|---|---|---|---|
                """);
        row(table, "returns", Fate.RETURNS);
        row(table, "fails, at each of its " + EarlyCommitScene.ATTEMPTS + " attempts", Fate.FAILS);
        row(table, "dies with its process; later, another process", Fate.DIES);
        GuaranteesSection.assertSays("early commits", table.toString().strip());
    }

    private static void row(StringBuilder table, String title, Fate fate) {
        Map<Shape, Set<Seen>> seen = new LinkedHashMap<>();
        for (Shape shape : Shape.values()) {
            seen.put(shape, new LinkedHashSet<>(cells(shape, fate).values()));
        }
        cell(table, title, "messages before it", seen, Seen::before);
        cell(table, "", "its message" + (fate == Fate.FAILS ? ", quarantined" : ""), seen, Seen::breaker);
        cell(table, "", "messages after it", seen, Seen::behind);
    }

    private static void cell(
            StringBuilder table,
            String title,
            String which,
            Map<Shape, Set<Seen>> seen,
            java.util.function.Function<Seen, String> text) {
        table.append("| ").append(title).append(" | ").append(which).append(" |");
        seen.values()
                .forEach(each -> table.append(' ')
                        .append(String.join(
                                " or ",
                                each.stream().map(text).distinct().sorted().toList()))
                        .append(" |"));
        table.append('\n');
    }

    private static final Map<Fate, Map<Cell, Seen>> PLAYED = new EnumMap<>(Fate.class);

    private static Map<Cell, Seen> cells(Shape shape, Fate fate) {
        Map<Cell, Seen> cells = new LinkedHashMap<>();
        PLAYED.computeIfAbsent(fate, EarlyCommitTest::play).forEach((cell, seen) -> {
            if (cell.shape() == shape) {
                cells.put(cell, seen);
            }
        });
        return cells;
    }

    private static Map<Cell, Seen> play(Fate fate) {
        Map<Cell, Seen> played = new LinkedHashMap<>();
        for (TestDatabase database : DATABASES) {
            List<Cell> cells = cells(database, fate);
            if (fate == Fate.DIES) {
                EarlyCommitLife.liveAndDie(cells);
            }
            cells.forEach(cell -> played.put(cell, play(cell)));
        }
        return played;
    }

    private static List<Cell> cells(TestDatabase database, Fate fate) {
        String url = fate == Fate.DIES && database == TestDatabase.H2
                ? "jdbc:h2:file:" + folder.resolve("early") + ";FILE_LOCK=NO;WRITE_DELAY=0"
                : database.url();
        List<EarlyCommit> all = EarlyCommit.on(url);
        List<EarlyCommit> ways = fate == Fate.DIES ? all.subList(all.size() - 1, all.size()) : all;
        List<Cell> cells = new ArrayList<>();
        for (Shape shape : Shape.values()) {
            for (boolean isJournal : List.of(false, true)) {
                for (boolean isManagedByUser : fate == Fate.DIES ? List.of(false) : List.of(false, true)) {
                    ways.forEach(way -> cells.add(new Cell(
                            url,
                            isJournal,
                            isManagedByUser,
                            shape,
                            fate,
                            way,
                            "early-" + UUID.randomUUID().toString().substring(0, 13))));
                }
            }
        }
        return cells;
    }

    private static Seen play(Cell cell) {
        Cell next = cell.fate() != Fate.DIES
                ? cell
                : new Cell(
                        cell.url(),
                        cell.isJournal(),
                        cell.isManagedByUser(),
                        cell.shape(),
                        Fate.RETURNS,
                        cell.way(),
                        cell.name());
        try (EarlyCommitScene scene = new EarlyCommitScene(next)) {
            if (cell.fate() == Fate.DIES) {
                scene.passTime(Duration.ofMinutes(6));
            }
            scene.play();
            return seen(scene);
        }
    }

    private static Seen seen(EarlyCommitScene scene) {
        List<String> messages = EarlyCommitScene.MESSAGES;
        int breaker = messages.indexOf(EarlyCommitScene.BREAKER);
        return new Seen(
                effects(scene, messages.subList(0, breaker)),
                effects(scene, messages.subList(breaker, breaker + 1)),
                effects(scene, messages.subList(breaker + 1, messages.size())),
                scene.quarantined(EarlyCommitScene.BREAKER)
                        .filter(why -> why.contains("part of what it wrote may be committed"))
                        .isPresent(),
                scene.told() > 0);
    }

    private static String effects(EarlyCommitScene scene, List<String> messages) {
        Set<String> effects = new LinkedHashSet<>();
        for (String message : messages) {
            int begun = scene.count(message, "begin");
            int finished = scene.count(message, "rest");
            effects.add(begun == finished ? String.valueOf(begun) : begun + " + " + finished);
        }
        return String.join(" or ", new ArrayList<>(effects));
    }
}

package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.ConsistencyLevel;
import io.idempotency.database.Database;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.awaitility.core.ConditionTimeoutException;

/** Lets a process halt at each point of a replay, while others replay, consume and purge the same messages. */
final class ReplayCrashes {

    private final Servers servers;
    private final Database mariaDb;
    private final Path folder;
    private final Map<ReplayPoint, CompletableFuture<Map<ReplayCell, Map<String, Seen.Fate>>>> seen =
            new EnumMap<>(ReplayPoint.class);

    /** @param folder where the processes write */
    ReplayCrashes(Servers servers, Database mariaDb, Path folder) {
        this.servers = servers;
        this.mariaDb = mariaDb;
        this.folder = folder;
    }

    void start(Executor runs) {
        Servers.createTables(mariaDb.dataSource());
        for (ReplayPoint point : ReplayPoint.values()) {
            seen.put(point, CompletableFuture.supplyAsync(() -> run(point), runs));
        }
    }

    private Map<ReplayCell, Map<String, Seen.Fate>> run(ReplayPoint point) {
        Map<ReplayCell, ReplayRace> races = new LinkedHashMap<>();
        ReplayCell.at(point).forEach(cell -> races.put(cell, new ReplayRace(cell, dataSource(cell.where()))));
        try {
            races.values().forEach(ReplayRace::request);
            crash(point, races.values());
            Map<ReplayCell, Map<String, Seen.Fate>> fates = new LinkedHashMap<>();
            races.forEach((cell, race) -> fates.put(cell, race.end()));
            return fates;
        } finally {
            races.values().forEach(ReplayRace::close);
        }
    }

    private DataSource dataSource(ReplayCell.Where where) {
        return where == ReplayCell.Where.MARIADB ? mariaDb.dataSource() : servers.dataSource();
    }

    private void crash(ReplayPoint point, Collection<ReplayRace> races) {
        Map<String, String> environment = new TreeMap<>(servers.environment());
        environment.put(ReplayLife.MARIADB_VARIABLE, mariaDb.url());
        try (ChildProcess child = ChildProcess.start(
                ReplayLife.class, List.of(point.name()), environment, folder.resolve("replay-" + point))) {
            try {
                await().alias("all replays are " + point.title())
                        .atMost(Duration.ofMinutes(2))
                        .pollInterval(Duration.ofMillis(50))
                        .until(() -> !child.isAlive() || child.said().contains(ReplayHalt.ALL_ARE_THERE));
            } catch (ConditionTimeoutException e) {
                throw new AssertionError(
                        child.said() + races.stream().map(ReplayRace::progress).collect(Collectors.joining("\n")), e);
            }
            races.forEach(ReplayRace::begin);
            assertThat(child.end()).as(child.said()).isEqualTo(Halt.CODE);
        }
    }

    /** Compares everything that was seen with what was promised. */
    void keepTheirPromises() {
        for (ReplayPoint point : ReplayPoint.values()) {
            at(point)
                    .forEach((cell, fates) -> fates.forEach((message, fate) -> assertThat(fate)
                            .as(cell + ", message " + message)
                            .isEqualTo(
                                    message.equals(ReplayCell.TARGET) ? cell.promised() : new Seen.Fate(1, 1, false))));
        }
    }

    private Map<ReplayCell, Map<String, Seen.Fate>> at(ReplayPoint point) {
        return Objects.requireNonNull(seen.get(point)).join();
    }

    /** Returns the table of the documentation. */
    String section() {
        StringBuilder table = new StringBuilder("| the node halts | `STRONG` | `AT_LEAST_ONCE` |\n|---|---|---|");
        for (ReplayPoint point : ReplayPoint.values()) {
            table.append("\n| ").append(point.title()).append(" |");
            for (ConsistencyLevel level : List.of(ConsistencyLevel.STRONG, ConsistencyLevel.AT_LEAST_ONCE)) {
                ReplayCell cell = new ReplayCell(ReplayCell.Where.POSTGRESQL, level, Cell.Kind.TABLE, point);
                Seen.Fate fate = Objects.requireNonNull(
                        Objects.requireNonNull(at(point).get(cell)).get(ReplayCell.TARGET));
                table.append(' ')
                        .append(cell.words())
                        .append("<br>effects **")
                        .append(fate.effects())
                        .append("**, calls ")
                        .append(fate.calls())
                        .append(" |");
            }
        }
        return table.toString();
    }
}

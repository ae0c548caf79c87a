package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.ConsistencyLevel;
import io.idempotency.replay.Replay;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Lets a process halt at each point of a replay, and another one follow it. */
final class ReplayCrashes {

    private final Servers servers;
    private final Path folder;
    private final Map<ReplayPoint, CompletableFuture<Map<ReplayCell, Map<String, Seen.Fate>>>> seen =
            new EnumMap<>(ReplayPoint.class);

    ReplayCrashes(Servers servers, Path folder) {
        this.servers = servers;
        this.folder = folder;
    }

    void start(Executor runs) {
        for (ReplayPoint point : ReplayPoint.values()) {
            seen.put(point, CompletableFuture.supplyAsync(() -> run(point), runs));
        }
    }

    private Map<ReplayCell, Map<String, Seen.Fate>> run(ReplayPoint point) {
        Map<ReplayCell, ReplayNode> following = new LinkedHashMap<>();
        ReplayCell.at(point)
                .forEach(cell -> following.put(cell, new ReplayNode(cell, servers.dataSource(), new ReplayHalt(null))));
        following.forEach((cell, node) -> node.request(cell.messages()));
        try (ChildProcess child = ChildProcess.start(
                ReplayLife.class, List.of(point.name()), servers.environment(), folder.resolve("replay-" + point))) {
            await().alias("the halt " + point.title())
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> !child.isAlive());
            assertThat(child.exitCode()).as(child.said()).isEqualTo(Halt.CODE);
        }
        Map<ReplayCell, Map<String, Seen.Fate>> fates = new LinkedHashMap<>();
        following.values().forEach(ReplayNode::start);
        following.forEach((cell, node) -> {
            await().alias(cell.toString())
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(50))
                    .until(node::isDone);
            node.close();
            Replay replay = node.replay();
            assertThat(replay.status()).as(cell + ": " + replay).isEqualTo(Replay.Status.DONE);
            assertThat(replay.progress().left()).as(cell + ": " + replay).isZero();
            Map<String, Seen.Fate> ofCell = new LinkedHashMap<>();
            ReplayCell.MESSAGES.forEach(message -> ofCell.put(message, node.fate(message)));
            fates.put(cell, ofCell);
        });
        return fates;
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
                ReplayCell cell = new ReplayCell(level, Cell.Kind.TABLE, point);
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

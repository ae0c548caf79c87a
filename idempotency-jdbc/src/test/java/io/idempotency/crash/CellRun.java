package io.idempotency.crash;

import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Lets a cell happen: sends its messages, and starts one life after the other until all of them are settled. */
final class CellRun {

    private static final int MOST_LIVES = Cell.MENDED_LIFE + 1;

    private final Servers servers;
    private final Cell cell;
    private final Path folder;

    CellRun(Servers servers, Cell cell, Path folder) {
        this.servers = servers;
        this.cell = cell;
        this.folder = folder;
    }

    Seen run() {
        servers.send(cell);
        int life = 1;
        while (!isSettledBy(life)) {
            life++;
            if (life > MOST_LIVES) {
                throw new IllegalStateException(cell + ": not settled after " + MOST_LIVES + " lives");
            }
        }
        return new Seen(life, servers.fates(cell));
    }

    /** Lives once. Returns whether everything is settled, false if it crashed before. */
    private boolean isSettledBy(int life) {
        List<String> arguments = Life.arguments(cell, life, servers.bootstrap());
        try (ChildProcess child = ChildProcess.start(
                Life.class, arguments, servers.environment(), folder.resolve(cell.id() + "-" + life))) {
            await().alias(cell + ", life " + life)
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> !child.isAlive() || servers.isSettled(cell));
            int code = child.isAlive() ? child.end() : child.exitCode();
            if (code != 0 && code != Halt.CODE) {
                throw new IllegalStateException(
                        cell + ": life " + life + " ended with code " + code + "\n" + child.said());
            }
            return code == 0;
        }
    }
}

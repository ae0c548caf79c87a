package io.idempotency.jdbc;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.idempotency.jdbc.EarlyCommitScene.Cell;
import io.idempotency.jdbc.EarlyCommitScene.Fate;
import io.idempotency.jdbc.EarlyCommitScene.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/** The life of a process whose handler commits and then dies. */
public final class EarlyCommitLife {

    /** How it ends. */
    static final int DEAD = 42;

    private EarlyCommitLife() {}

    /** Plays the scene of the arguments, which it does not survive. */
    public static void main(String[] args) {
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
        try (EarlyCommitScene scene = new EarlyCommitScene(new Cell(
                args[0],
                Boolean.parseBoolean(args[1]),
                false,
                Shape.valueOf(args[2]),
                Fate.DIES,
                EarlyCommit.valueOf(args[3]),
                args[4]))) {
            scene.play();
        }
    }

    /** Lets a process live and die. */
    static void liveAndDie(Cell cell) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                EarlyCommitLife.class.getName(),
                cell.url(),
                String.valueOf(cell.isJournal()),
                cell.shape().name(),
                cell.way().name(),
                cell.name()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        try {
            Process process = builder.start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != DEAD) {
                throw new IllegalStateException(cell + " did not die as it should: " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}

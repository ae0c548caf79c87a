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
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;

/** The life of a process whose handlers, one for each of several consumers, commit and then die together. */
public final class EarlyCommitLife {

    /** How it ends. */
    static final int DEAD = 42;

    private static final int OF_A_CELL = 3;

    private static CountDownLatch alive = new CountDownLatch(0);

    private EarlyCommitLife() {}

    /** Plays the scenes of the arguments, which it does not survive. */
    public static void main(String[] args) {
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
        List<EarlyCommitScene> scenes = new ArrayList<>();
        for (int i = 2; i < args.length; i += OF_A_CELL) {
            scenes.add(new EarlyCommitScene(new Cell(
                    args[0],
                    Boolean.parseBoolean(args[i]),
                    false,
                    Shape.valueOf(args[i + 1]),
                    Fate.DIES,
                    EarlyCommit.valueOf(args[1]),
                    args[i + 2])));
        }
        alive = new CountDownLatch(scenes.size());
        scenes.forEach(scene -> new Thread(() -> playToDeath(scene)).start());
    }

    private static void playToDeath(EarlyCommitScene scene) {
        try {
            scene.play();
        } catch (Throwable e) {
            LoggerFactory.getLogger(EarlyCommitLife.class).error("It did not die as it should", e);
        }
        Runtime.getRuntime().halt(1);
    }

    /** Halts when the handlers of all scenes have come here. */
    static void die() {
        try {
            alive.countDown();
            alive.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        Runtime.getRuntime().halt(DEAD);
    }

    /** Lets a process live and die, with the consumers of these cells, which differ in name, store and shape only. */
    static void liveAndDie(List<Cell> cells) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                EarlyCommitLife.class.getName(),
                cells.get(0).url(),
                cells.get(0).way().name()));
        cells.forEach(cell -> command.addAll(
                List.of(String.valueOf(cell.isJournal()), cell.shape().name(), cell.name())));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        try {
            Process process = builder.start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != DEAD) {
                throw new IllegalStateException(cells + " did not die as they should: " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}

package io.idempotency.samples.services;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A node of a service: a JVM of its own, which can be killed and started again. */
final class Service implements AutoCloseable {

    private static final int LEAVE_SECONDS = 20;

    private final String name;
    private final List<String> command;
    private final Path folder;
    private final Path log;
    private Process process;
    private int kills;
    private boolean isKilled;
    private boolean isClosed;

    private Service(String name, List<String> command, Path folder, Path log) throws IOException {
        this.name = name;
        this.command = command;
        this.folder = folder;
        this.log = log;
        this.process = run(command, folder, log);
    }

    /**
     * Starts a node.
     *
     * @param folder its working folder, with its temporary files
     * @param log the file for its output
     */
    static Service start(String name, Program program, Path folder, Path log, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + folder));
        command.addAll(program.arguments());
        command.addAll(arguments);
        return new Service(name, command, folder, log);
    }

    private static Process run(List<String> command, Path folder, Path log) throws IOException {
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(log.toFile()))
                .start();
    }

    String name() {
        return name;
    }

    Path log() {
        return log;
    }

    /** Returns how often the node was killed. */
    synchronized int kills() {
        return kills;
    }

    /** Kills the node as {@code kill -9} does, without any clean-up. */
    synchronized void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
        isKilled = true;
        kills++;
    }

    /** Starts the node again, unless it was asked to end meanwhile. */
    synchronized void startAgain() throws IOException {
        if (!isClosed) {
            process = run(command, folder, log);
            isKilled = false;
        }
    }

    /** Asks the node to end, and starts it again. */
    synchronized void restart() throws IOException {
        isKilled = true;
        process.destroy();
        awaitEnd();
        startAgain();
    }

    /** Returns whether the node has ended by itself. */
    synchronized boolean hasFailed() {
        return !process.isAlive() && !isKilled && !isClosed;
    }

    /** Asks the node to end. */
    synchronized void leave() {
        isClosed = true;
        process.destroy();
    }

    /** Waits for a node that was asked to end, for a limited time. */
    synchronized void awaitEnd() {
        process.onExit()
                .completeOnTimeout(process, LEAVE_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    /** Kills the node if it still runs. */
    @Override
    public synchronized void close() {
        isClosed = true;
        process.destroyForcibly().onExit().join();
    }
}

package io.idempotency.samples.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A JVM that the demo has started. It gets commands on its standard input and reports on its standard output. */
final class Child implements AutoCloseable {

    /** The beginning of a line with counts. */
    static final String COUNTS = "counts ";

    /** The beginning of a line with an event. */
    static final String EVENT = "event ";

    private final String name;
    private final Process process;
    private final Writer commands;
    private final Thread ear;
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private volatile Tally tally = new Tally();

    private Child(String name, Process process) {
        this.name = name;
        this.process = process;
        this.commands = process.outputWriter(StandardCharsets.UTF_8);
        this.ear = new Thread(this::hear, name);
        ear.setDaemon(true);
        ear.start();
    }

    /** Starts a main class with this JVM's class path; its log and its errors go to files in the folder. */
    static Child start(String name, Path logs, Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Ddemo.log=" + logs.resolve(name + ".log"),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(logs.resolve(name + ".err").toFile())
                .start();
        return new Child(name, process);
    }

    String name() {
        return name;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Returns the latest counts. */
    Tally tally() {
        return tally;
    }

    /** Sends the child a command. */
    void tell(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
    }

    /** Waits for an event of the child. Returns whether it happened. */
    boolean awaitEvent(String event, Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (true) {
            String heard = events.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (heard == null || heard.equals(event)) {
                return heard != null;
            }
        }
    }

    /** Waits for the end of the child and of its output. Returns whether it ended with the given status. */
    boolean awaitExit(int status, Duration limit) throws InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            return false;
        }
        ear.join(limit.toMillis());
        return process.exitValue() == status;
    }

    /** Returns whether the child has ended by itself, and not by {@link Saboteur#HALTED}. */
    boolean hasFailed() {
        return !isAlive() && process.exitValue() != 0 && process.exitValue() != Saboteur.HALTED;
    }

    /** Sends a signal, such as STOP or CONT. Returns whether it was delivered. */
    boolean signal(String signal) throws IOException, InterruptedException {
        String kill = "kill -" + signal + " " + process.pid();
        // By the shell, which has a built-in kill: small systems have no such program.
        return new ProcessBuilder("sh", "-c", kill).start().waitFor() == 0;
    }

    private void hear() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(COUNTS)) {
                    tally = Tally.decode(line.substring(COUNTS.length()));
                } else if (line.startsWith(EVENT)) {
                    events.add(line.substring(EVENT.length()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot hear " + name, e);
        }
    }

    /** Kills the child, even if it is stopped. */
    @Override
    public void close() {
        process.destroyForcibly();
    }
}

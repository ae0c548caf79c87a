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

/** A JVM of its own that the demo has started: told what to do on its standard input, heard on its standard output. */
final class Child implements AutoCloseable {

    /** How a child begins a line with its counts. */
    static final String COUNTS = "counts ";

    /** How a child begins a line with something that happened. */
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

    /** Returns the latest counts heard. */
    Tally tally() {
        return tally;
    }

    /** Tells the child to do something. */
    void tell(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
    }

    /** Waits for something to happen in the child. Returns whether it did. */
    boolean awaitEvent(String event, Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (true) {
            String heard = events.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (heard == null || heard.equals(event)) {
                return heard != null;
            }
        }
    }

    /** Waits for the end of the child and of what it had to say. Returns whether it ended with the status given. */
    boolean awaitExit(int status, Duration limit) throws InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            return false;
        }
        ear.join(limit.toMillis());
        return process.exitValue() == status;
    }

    /** Returns whether the child has ended neither in order nor by {@link Saboteur#HALTED}. */
    boolean hasFailed() {
        return !isAlive() && process.exitValue() != 0 && process.exitValue() != Saboteur.HALTED;
    }

    /** Sends a signal, such as STOP or CONT. Returns whether it was delivered. */
    boolean signal(String signal) throws IOException, InterruptedException {
        String kill = "kill -" + signal + " " + process.pid();
        // By the shell, which has it built in: small systems have no program of that name.
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

    /** Kills the child; one that is stopped as well. */
    @Override
    public void close() {
        process.destroyForcibly();
    }
}

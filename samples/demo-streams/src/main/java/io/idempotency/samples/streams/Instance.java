package io.idempotency.samples.streams;

import java.io.IOException;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A {@link LedgerProcess} that can be ended and started again, with the state that it left on disk. */
final class Instance implements AutoCloseable {

    private static final int LEAVE_SECONDS = 60;
    /** A halt ends the C library, too, while threads of RocksDB still run, and one of them may abort the process. It is as dead as it should be. */
    private static final int ABORTED = 134;

    private final String name;
    private final List<String> arguments;
    private final Path files;
    private final Path logs;
    private Process process;

    Instance(String name, Path files, Path logs, String broker, String guarantee, String variant) throws IOException {
        this.name = name;
        this.arguments = List.of(broker, guarantee, variant, files.resolve(name).toString());
        this.files = files;
        this.logs = logs;
        this.process = live(null);
    }

    private Process live(@Nullable String trap) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                // RocksDB unpacks its library there. Who dies does not delete it; the run does.
                "-Djava.io.tmpdir=" + files,
                "-Ddemo.log=" + logs.resolve(name + "-" + System.nanoTime() + ".log"),
                LedgerProcess.class.getName()));
        command.addAll(arguments);
        if (trap != null) {
            command.add(trap);
        }
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(logs.resolve(name + ".out").toFile()));
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return builder.start();
    }

    void setTrap(Accident accident, int times) throws IOException {
        Writer commands = process.outputWriter(StandardCharsets.UTF_8);
        commands.write(accident + " " + times + "\n");
        commands.flush();
    }

    void start() throws IOException {
        process = live(null);
    }

    void startWithTrap(Accident accident) throws IOException {
        process = live(accident + " 1");
    }

    /** Kills it, as {@code kill -9} does. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Asks it to end, and waits. Returns whether it did so in order. */
    boolean stop() throws IOException, InterruptedException {
        process.outputWriter(StandardCharsets.UTF_8).close();
        return process.waitFor(LEAVE_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
    }

    /** Sends a signal: STOP or CONT. */
    void signal(String signal) throws IOException, InterruptedException {
        // By the shell, which has a built-in kill: small systems have no such program.
        int status = new ProcessBuilder("sh", "-c", "kill -" + signal + " " + process.pid())
                .start()
                .waitFor();
        if (status != 0) {
            throw new IOException("The process " + name + " got no signal " + signal);
        }
    }

    /** Waits until it has halted itself in a trap. Returns whether it did. */
    boolean awaitHalt(int seconds) throws InterruptedException {
        return process.waitFor(seconds, TimeUnit.SECONDS)
                && (process.exitValue() == Trap.HALTED || process.exitValue() == ABORTED);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}

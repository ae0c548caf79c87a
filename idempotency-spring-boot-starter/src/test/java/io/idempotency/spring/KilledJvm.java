package io.idempotency.spring;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** A process with the class path of the test, which is killed. It ends with this one. */
final class KilledJvm {

    private static final String AT_WORK = "-- at work --";
    private static final AtomicBoolean isTold = new AtomicBoolean();

    private final Process process;
    private final Path output;

    private KilledJvm(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    static KilledJvm start(Class<?> main, List<String> arguments, Path output) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx192m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                main.getName()));
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return new KilledJvm(builder.start(), output);
    }

    /** Is called in the process: when the one that started it is gone, it ends at once. */
    static void endWithInput() {
        Thread watching = new Thread(
                () -> {
                    try {
                        while (System.in.read() >= 0) {
                            // Nobody says anything.
                        }
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    } finally {
                        Runtime.getRuntime().halt(1);
                    }
                },
                "input");
        watching.setDaemon(true);
        watching.start();
    }

    /** Is called in the process: now it is worth killing. */
    static void sayAtWork() {
        if (!isTold.getAndSet(true)) {
            System.out.println(AT_WORK);
        }
    }

    /** Returns whether it has said that it is at work. */
    boolean isAtWork() {
        return said().contains(AT_WORK);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Returns whether it has ended by itself, in order. */
    boolean isDone() {
        return !process.isAlive() && process.exitValue() == 0;
    }

    String said() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills it, and returns when it is gone. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}

package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;

import io.idempotency.ConsistencyLevel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A {@link ChildConsumer} as its parent sees it. */
final class ChildProcess implements AutoCloseable {

    private final Process process;
    private final Writer out;
    private final List<String> said = new CopyOnWriteArrayList<>();

    private ChildProcess(Process process) {
        this.process = process;
        this.out = process.outputWriter(StandardCharsets.UTF_8);
        new Thread(this::listen, "child-output").start();
    }

    static ChildProcess start(String topic, String consumer, String url, ConsistencyLevel level) {
        try {
            return new ChildProcess(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            ChildConsumer.class.getName(),
                            Kafka.servers(),
                            topic,
                            consumer,
                            url,
                            level.name())
                    .redirectErrorStream(true)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void listen() {
        try (BufferedReader in = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.startsWith(ChildConsumer.MARK)) {
                    said.add(line.substring(ChildConsumer.MARK.length()));
                } else {
                    System.out.println("[child] " + line);
                }
            }
        } catch (IOException e) {
            said.add("silent " + e);
        }
    }

    /** Waits until the child says a line that begins with the text given. */
    String awaitLine(String begins) {
        return eventually()
                .until(
                        () -> said.stream()
                                .filter(line -> line.startsWith(begins))
                                .findFirst(),
                        line -> line.isPresent() || !process.isAlive())
                .orElseThrow(() -> new IllegalStateException("The child ended without saying: " + begins));
    }

    List<String> said() {
        return List.copyOf(said);
    }

    void tell(String text) {
        try {
            out.write(text + "\n");
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops the whole process, as a long pause of its machine would. */
    void freeze() {
        Signals.send("STOP", process.pid());
    }

    void thaw() {
        Signals.send("CONT", process.pid());
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}

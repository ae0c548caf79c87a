package io.idempotency.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM that gets commands on its standard input and answers on its standard output. It ends with this process. */
final class Child implements AutoCloseable {

    /** The beginning of an answer; other lines are ignored. */
    static final String ANSWER = "answer ";

    private static final int END_SECONDS = 10;

    private final String name;
    private final Path logs;
    private final Process process;
    private final Writer told;
    private final BufferedReader heard;

    private Child(String name, Path logs, Process process) {
        this.name = name;
        this.logs = logs;
        this.process = process;
        this.told = process.outputWriter(StandardCharsets.UTF_8);
        this.heard = process.inputReader(StandardCharsets.UTF_8);
    }

    /**
     * Starts a main class with this JVM's class path.
     *
     * @param logs the folder of its log and its errors
     * @param options of the JVM
     */
    static Child start(String name, Path logs, List<String> options, Class<?> main, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.add("-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"));
        command.add("-Ddemo.log=" + logs.resolve(name + ".log"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(logs.resolve(name + ".err").toFile())
                .start();
        return new Child(name, logs, process);
    }

    void tell(String line) throws IOException {
        told.write(line + "\n");
        told.flush();
    }

    /**
     * Waits for the next answer.
     *
     * @throws IllegalStateException if the process ended instead
     */
    String hear() throws IOException {
        for (String line = heard.readLine(); line != null; line = heard.readLine()) {
            if (line.startsWith(ANSWER)) {
                return line.substring(ANSWER.length());
            }
        }
        throw new IllegalStateException(
                name + " has ended instead of answering, see " + logs.resolve(name + ".err") + " and " + name + ".log");
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit()
                .completeOnTimeout(process, END_SECONDS, TimeUnit.SECONDS)
                .join()
                .destroyForcibly();
    }
}

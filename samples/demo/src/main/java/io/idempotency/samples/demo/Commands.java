package io.idempotency.samples.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The commands of the demo to a child process, line by line on its standard input. When the demo is gone, the child ends, too. */
final class Commands {

    static final String LEAVE = "leave";

    private final Map<String, Runnable> actions;
    private volatile boolean isLeaving;

    private Commands(Map<String, Runnable> actions) {
        this.actions = actions;
    }

    /** Starts to listen. A command runs its action on the listening thread. */
    static Commands listen(Map<String, Runnable> actions) {
        Commands commands = new Commands(actions);
        Thread thread = new Thread(commands::read, "commands");
        thread.setDaemon(true);
        thread.start();
        return commands;
    }

    /** Returns whether the process was asked to leave. */
    boolean isLeaving() {
        return isLeaving;
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                isLeaving |= line.equals(LEAVE);
                actions.getOrDefault(line, () -> {}).run();
            }
        } catch (IOException e) {
            // Like the end of the input: the demo is gone.
        }
        Runtime.getRuntime().halt(1);
    }
}

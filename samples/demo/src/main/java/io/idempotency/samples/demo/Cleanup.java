package io.idempotency.samples.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * Ends everything that the demo started, the last one first: when the demo is over, fails or is interrupted, and when the process that started it is gone,
 * even without a signal.
 */
public final class Cleanup implements AutoCloseable {

    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private volatile boolean isClosed;

    /** Creates a clean-up with nothing to end. */
    public Cleanup() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "cleanup"));
        ProcessHandle.current().parent().ifPresent(Cleanup::endWith);
    }

    private static void endWith(ProcessHandle parent) {
        var unused = parent.onExit().thenRun(() -> System.exit(1));
    }

    /** Starts a resource and remembers it. The clean-up waits until it has started, so it misses none. */
    public synchronized <T extends AutoCloseable> T start(Callable<T> starter) throws Exception {
        if (isClosed) {
            throw new IllegalStateException("The demo is being ended");
        }
        return after(starter.call());
    }

    /** Remembers a resource to end. */
    public synchronized <T extends AutoCloseable> T after(T resource) throws Exception {
        if (isClosed) {
            resource.close();
            throw new IllegalStateException("The demo is being ended");
        }
        started.push(resource);
        return resource;
    }

    /** Creates an empty folder that is deleted at the end. */
    public Path temporary(Path folder) throws Exception {
        delete(folder);
        Files.createDirectories(folder);
        after(() -> delete(folder));
        return folder;
    }

    /** Returns whether everything was ended. While the demo runs, that means it was ended from outside. */
    public boolean isClosed() {
        return isClosed;
    }

    @Override
    public void close() {
        // At once: later failures are caused by the end.
        isClosed = true;
        endAll();
    }

    private synchronized void endAll() {
        while (!started.isEmpty()) {
            try {
                started.pop().close();
            } catch (Exception e) {
                System.err.println("Could not clean up: " + e);
            }
        }
    }

    /** Deletes a folder with its content, if it exists. */
    public static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> tree = Files.walk(folder)) {
            all = tree.sorted(Comparator.reverseOrder()).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        for (Path path : all) {
            Files.deleteIfExists(path);
        }
    }
}

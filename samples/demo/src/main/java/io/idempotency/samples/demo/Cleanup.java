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

/** Ends what was started, the last one first: when the demo is over, when it fails, and when it is interrupted from outside. */
public final class Cleanup implements AutoCloseable {

    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private boolean isClosed;

    /** Begins with nothing to end. */
    public Cleanup() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "cleanup"));
    }

    /** Starts something to end. It is not ended before it has started, and so not missed either. */
    public synchronized <T extends AutoCloseable> T start(Callable<T> starter) throws Exception {
        if (isClosed) {
            throw new IllegalStateException("The demo is being ended");
        }
        return after(starter.call());
    }

    /** Remembers something to end. */
    public synchronized <T extends AutoCloseable> T after(T resource) throws Exception {
        if (isClosed) {
            resource.close();
            throw new IllegalStateException("The demo is being ended");
        }
        started.push(resource);
        return resource;
    }

    /** Creates an empty folder that is deleted in the end. */
    public Path temporary(Path folder) throws Exception {
        delete(folder);
        Files.createDirectories(folder);
        after(() -> delete(folder));
        return folder;
    }

    /** Returns whether everything was ended already, which while the demo runs means: from outside. */
    public synchronized boolean isClosed() {
        return isClosed;
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        while (!started.isEmpty()) {
            try {
                started.pop().close();
            } catch (Exception e) {
                System.err.println("Could not clean up: " + e);
            }
        }
    }

    /** Deletes a folder with all that is in it, if it is there. */
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

package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.util.FileSystemUtils;

/**
 * The table of promises on one database: for every level and every {@link CrashPoint} a process handles messages, halts there and is started again until
 * everything is settled. Then the database is compared with the {@link Promise}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class CrashTable {

    private static final int AT_A_TIME = 3;

    private final ExecutorService runs = Executors.newFixedThreadPool(AT_A_TIME);
    private final Map<Cell, CompletableFuture<Seen>> seen = new LinkedHashMap<>();
    private final Path folder;
    private final Servers servers;

    CrashTable(Supplier<Servers> start) {
        Life.quieten();
        folder = Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/crash-" + Cell.RUN);
        servers = start.get();
    }

    final Path folder() {
        return folder;
    }

    final ExecutorService runs() {
        return runs;
    }

    final Servers servers() {
        return servers;
    }

    @BeforeAll
    void letAllCellsHappen() throws IOException {
        Files.createDirectories(folder);
        List<Cell> longestFirst = new ArrayList<>(Cell.all());
        Collections.reverse(longestFirst);
        for (Cell cell : longestFirst) {
            if (servers.missing(cell) == null) {
                CellRun run = new CellRun(servers, cell, folder);
                seen.put(cell, CompletableFuture.supplyAsync(run::run, runs));
            }
        }
    }

    @AfterAll
    void stop() throws IOException, InterruptedException {
        runs.shutdownNow();
        try (servers) {
            assertThat(runs.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        }
        FileSystemUtils.deleteRecursively(folder);
    }

    static List<Cell> cells() {
        return Cell.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cells")
    void keepsItsPromise(Cell cell) {
        String missing = servers.missing(cell);
        assumeTrue(missing == null, missing);
        assertThat(Promise.broken(cell, seen(cell)))
                .as(cell + ": " + Promise.of(cell).words())
                .isEmpty();
    }

    final Seen seen(Cell cell) {
        return Objects.requireNonNull(seen.get(cell)).join();
    }
}

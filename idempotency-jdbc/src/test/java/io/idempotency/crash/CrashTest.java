package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.util.FileSystemUtils;

/**
 * For every level and every {@link CrashPoint} a process handles messages, halts there and is started again until everything is
 * settled. What is then in the database is compared with the {@link Promise}, and {@code docs/guarantees.md} with what was seen.
 */
class CrashTest {

    private static final int AT_A_TIME = 3;
    private static final Path BASE = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    private static final Path FOLDER = BASE.resolve("target/crash");
    private static final Path PAGE = BASE.resolveSibling("docs").resolve("guarantees.md");

    private static final ExecutorService runs = Executors.newFixedThreadPool(AT_A_TIME);
    private static final Map<Cell, CompletableFuture<Seen>> seen = new LinkedHashMap<>();
    private static final Servers servers = start();

    private static Servers start() {
        Life.quieten();
        return Servers.start();
    }

    @BeforeAll
    static void letAllCellsHappen() throws IOException {
        Files.createDirectories(FOLDER);
        List<Cell> longestFirst = new ArrayList<>(Cell.all());
        Collections.reverse(longestFirst);
        for (Cell cell : longestFirst) {
            CellRun run = new CellRun(servers, cell, FOLDER);
            seen.put(cell, CompletableFuture.supplyAsync(run::run, runs));
        }
    }

    @AfterAll
    static void stop() throws IOException, InterruptedException {
        runs.shutdownNow();
        try (servers) {
            assertThat(runs.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        }
        FileSystemUtils.deleteRecursively(FOLDER);
    }

    static List<Cell> cells() {
        return Cell.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cells")
    void keepsItsPromise(Cell cell) {
        assertThat(Promise.broken(cell, seen(cell)))
                .as(cell + ": " + Promise.of(cell).words())
                .isEmpty();
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        Map<Cell, Seen> all = new LinkedHashMap<>();
        Cell.all().forEach(cell -> all.put(cell, seen(cell)));
        String page = GuaranteesPage.of(all, ChangedMessages.section(servers));
        if ("write".equals(System.getProperty("idempotency.docs"))) {
            write(page);
        }
        assertThat(PAGE)
                .as("The page differs from what was seen. Write it anew with -Didempotency.docs=write")
                .hasContent(page);
    }

    private static Seen seen(Cell cell) {
        return Objects.requireNonNull(seen.get(cell)).join();
    }

    private static void write(String page) {
        try {
            Files.writeString(PAGE, page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

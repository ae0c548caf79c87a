package io.idempotency.samples.services;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The settings of a run, by system properties.
 *
 * @param orders {@code -Dorders=}: the number of orders
 * @param level {@code -Dlevel=}: with {@code NONE} the consumers remember nothing, and the comparison must find that
 * @param isKept {@code -Dkeep=}: whether everything goes on running after the run, for somebody who tries the console
 * @param samples {@code -Ddemo.samples=}: the folder of the built services
 * @param version {@code -Ddemo.version=}: their version
 * @param folder {@code -Ddemo.folder=}: the folder for files; the logs and the programs of PostgreSQL stay, everything else is
 *     removed at the end
 */
record Settings(int orders, String level, boolean isKept, Path samples, String version, Path folder) {

    private static final String AS_ANNOTATED = "STRONG";
    private static final String NONE = "NONE";

    /** The least time of sending, so that the accidents happen under traffic. */
    static final Duration SENDING = Duration.ofSeconds(45);

    Settings {
        if (orders < 100) {
            throw new IllegalArgumentException("-Dorders= must be 100 or more, not " + orders);
        }
        if (!List.of(AS_ANNOTATED, NONE).contains(level)) {
            throw new IllegalArgumentException("-Dlevel= must be " + AS_ANNOTATED + " or " + NONE + ", not " + level);
        }
    }

    static Settings fromSystemProperties() {
        return new Settings(
                Integer.getInteger("orders", 20_000),
                System.getProperty("level", AS_ANNOTATED),
                Boolean.getBoolean("keep"),
                Path.of(System.getProperty("demo.samples", "samples")).toAbsolutePath(),
                System.getProperty("demo.version", "0.1.0-SNAPSHOT"),
                Path.of(System.getProperty("demo.folder", "target/demo")).toAbsolutePath());
    }

    boolean isRemembering() {
        return !level.equals(NONE);
    }

    /** Returns the time after which the demo gives up: ten minutes, and one more for every 5,000 orders. */
    Duration limit() {
        return Duration.ofMinutes(10).plusMinutes(orders / 5_000);
    }

    /** Returns the folder of the logs, one for each node. */
    Path logs() {
        return folder.resolve("logs");
    }

    /** Returns the page that the demo of operations tries. */
    Path page() {
        return samples.resolve(Path.of("..", "docs", "operations.md"));
    }

    /** Returns the jar of a service. */
    Path jar(String module) {
        return samples.resolve(module)
                .resolve("target")
                .resolve("idempotency-sample-" + module + "-" + version + ".jar");
    }
}

package io.idempotency.samples.demo;

import java.nio.file.Path;
import java.time.Duration;

/**
 * The settings of a run, by system properties.
 *
 * @param messages {@code -Dmessages=}: the number of payments
 * @param seed {@code -Dseed=}: the seed of the payments and of the lost acknowledgments
 * @param folder {@code -Ddemo.folder=}: the folder for files; logs stay, everything else is removed at the end
 */
record Settings(int messages, long seed, Path folder) {

    /** The least time of sending, so that the accidents happen under traffic. */
    static final Duration SENDING = Duration.ofSeconds(60);

    /** Returns the time after which the demo gives up: ten minutes, and one more for every 20,000 payments. */
    Duration limit() {
        return Duration.ofMinutes(10).plusSeconds(messages / 20_000L * 60);
    }

    static Settings fromSystemProperties() {
        int messages = Integer.getInteger("messages", 100_000);
        if (messages < 1) {
            throw new IllegalArgumentException("-Dmessages= must be a positive number, not " + messages);
        }
        return new Settings(
                messages,
                Long.getLong("seed", 20_261_121L),
                Path.of(System.getProperty("demo.folder", "target/demo")).toAbsolutePath());
    }
}

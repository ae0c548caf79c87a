package io.idempotency.samples.demo;

import java.nio.file.Path;
import java.time.Duration;

/**
 * What a run can be told by system properties.
 *
 * @param messages {@code -Dmessages=}: how many payments are sent
 * @param seed {@code -Dseed=}: what the payments and the lost acknowledgments are drawn from
 * @param folder {@code -Ddemo.folder=}: where files go; logs stay there, everything else is removed at the end
 */
record Settings(int messages, long seed, Path folder) {

    /** How long sending takes at least, so that the accidents happen under traffic. */
    static final Duration SENDING = Duration.ofSeconds(60);

    /** When the demo gives up waiting for the topic to be worked off: ten minutes, and one more for every 20,000 payments. */
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

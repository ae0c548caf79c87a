package io.idempotency.samples.rough;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What a run can be told by system properties.
 *
 * @param messages {@code -Dmessages=}: how many messages there are in all, each of which is sent at least twice
 * @param databases {@code -Ddatabase=}: {@code postgresql}, {@code mariadb}, or {@code both}, one after the other
 * @param seed {@code -Dseed=}: what the messages are drawn from
 * @param kills how often the service is killed at any time; it is killed as often between an early commit and its proof as it has listeners, unless
 *     this is 0
 * @param folder {@code -Ddemo.folder=}: where files go; logs and the programs of the databases stay there, everything else is removed at the end
 */
record Settings(int messages, List<String> databases, long seed, int kills, Path folder) {

    static final String POSTGRESQL = "postgresql";
    static final String MARIADB = "mariadb";

    private static final int KILLS = 6;
    private static final int SECONDS_FOR_ALL = 15 * 60;
    private static final int MESSAGES_PER_SECOND = 100;

    Settings {
        if (messages < 60) {
            throw new IllegalArgumentException("-Dmessages= must be 60 or more, not " + messages);
        }
        if (databases.isEmpty() || !List.of(POSTGRESQL, MARIADB).containsAll(databases)) {
            throw new IllegalArgumentException("-Ddatabase= must be postgresql, mariadb or both, not " + databases);
        }
    }

    static Settings fromSystemProperties() {
        String database = System.getProperty("database", "both");
        return new Settings(
                Integer.getInteger("messages", 100_000),
                database.equals("both") ? List.of(POSTGRESQL, MARIADB) : List.of(database),
                Long.getLong("seed", 20_261_128),
                KILLS,
                Path.of(System.getProperty("demo.folder", "target/demo")).toAbsolutePath());
    }

    /** When a run gives up. What a killed process had committed early waits for five minutes, as a lease does. */
    Duration limit() {
        return Duration.ofSeconds(SECONDS_FOR_ALL + messages / MESSAGES_PER_SECOND);
    }
}

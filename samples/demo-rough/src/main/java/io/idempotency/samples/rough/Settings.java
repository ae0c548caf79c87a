package io.idempotency.samples.rough;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The settings of a run, by system properties.
 *
 * @param messages {@code -Dmessages=}: the number of messages in total; each is sent at least twice
 * @param databases {@code -Ddatabase=}: {@code postgresql}, {@code mariadb}, or {@code both}, one after the other
 * @param seed {@code -Dseed=}: the seed of the messages
 * @param kills how often the service is killed at any time. Unless this is 0, it is also killed once for each listener between an early commit and its
 *     proof
 * @param folder {@code -Ddemo.folder=}: the folder for files; logs and the programs of the databases stay, everything else is removed at the end
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

    /** Returns the time after which a run gives up. Early commits of a killed process block their messages for five minutes, as a lease does. */
    Duration limit() {
        return Duration.ofSeconds(SECONDS_FOR_ALL + messages / MESSAGES_PER_SECOND);
    }
}

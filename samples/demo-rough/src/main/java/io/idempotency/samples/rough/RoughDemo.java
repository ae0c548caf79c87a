package io.idempotency.samples.rough;

import io.idempotency.samples.demo.Cleanup;

/**
 * Runs listeners whose handlers make the usual mistakes at random, in a process that is killed repeatedly. It shows that each message has its effect once, or is
 * in quarantine.
 *
 * <p>For each database it starts a server, a broker, and the {@link RoughService} in a process of its own. At the end it compares every message with every row
 * that its handler wrote ({@link Audit}). The exit status is 0 if nothing is lost, and nothing is doubled except effects that handlers committed themselves
 * before they failed or died.
 */
public final class RoughDemo {

    private RoughDemo() {}

    /** Runs the demo; system properties are those of {@code Settings}. */
    public static void main(String[] args) {
        Settings settings = Settings.fromSystemProperties();
        boolean isGood = true;
        for (String database : settings.databases()) {
            isGood &= run(database, settings);
        }
        System.out.println(isGood ? "PASSED" : "FAILED: see what is named PROBLEM above, and the logs");
        System.out.flush();
        System.exit(isGood ? 0 : 1);
    }

    /** Runs on a database. Returns whether all is good. */
    static boolean run(String database, Settings settings) {
        Cleanup cleanup = new Cleanup();
        try {
            return Run.on(database, settings, cleanup);
        } catch (Throwable e) {
            // Errors, too: a start that is interrupted by the end can fail in any way.
            if (!cleanup.isClosed()) {
                e.printStackTrace();
            }
            return false;
        } finally {
            cleanup.close();
        }
    }
}

package io.idempotency.samples.rough;

import io.idempotency.samples.demo.Cleanup;

/**
 * Runs listeners whose handlers do at random what ordinary handlers do wrong, in a process that is killed again and again, and shows that each message
 * has its effect once, or is in quarantine.
 *
 * <p>For each database a server and a broker are started, and the {@link RoughService} in a process of its own. In the end every message is
 * compared with every row that its handler wrote ({@link Audit}). The exit status is 0 if nothing is lost, and nothing double but what handlers
 * committed themselves before they failed or died.
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
            // Also errors: what is being started while it is to be ended fails in all ways.
            if (!cleanup.isClosed()) {
                e.printStackTrace();
            }
            return false;
        } finally {
            cleanup.close();
        }
    }
}

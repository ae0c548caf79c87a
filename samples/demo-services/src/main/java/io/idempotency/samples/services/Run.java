package io.idempotency.samples.services;

import io.idempotency.samples.demo.Cleanup;

/** A run of a demo. */
interface Run {

    /** Returns whether everything went as it must. */
    boolean with(Cleanup cleanup) throws Exception;

    /** Runs a demo, ends what it started, and exits with the status 0 if everything went as it must. */
    static void thenExit(Run run) {
        boolean isGood = false;
        Cleanup cleanup = new Cleanup();
        try {
            isGood = run.with(cleanup);
        } catch (GaveUpException e) {
            System.out.println("The demo gave up: " + e.getMessage());
        } catch (Throwable e) {
            // Errors, too: a start that is interrupted by the end can fail in any way.
            if (!cleanup.isClosed()) {
                e.printStackTrace();
            }
        } finally {
            cleanup.close();
        }
        System.exit(isGood ? 0 : 1);
    }
}

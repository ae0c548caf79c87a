package io.idempotency.testkit;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongConsumer;

/** Runs a search with many new seeds, or repeatedly with the one seed of a system property. */
final class Seeds {

    private Seeds() {}

    static void run(String search, String property, int count, LongConsumer run) {
        Long replayed = Long.getLong(property);
        long first = replayed == null ? ThreadLocalRandom.current().nextInt(1, 1_000_000_000) : replayed;
        long step = replayed == null ? 1 : 0;
        // Readers look for the seeds in the output of the build.
        System.out.printf("%s: %d runs from seed %d%n", search, count, first);
        for (int i = 0; i < count; i++) {
            long seed = first + i * step;
            try {
                run.accept(seed);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        search + " failed with seed " + seed + "; replay it with -D" + property + "=" + seed + "\n"
                                + e.getMessage(),
                        e);
            }
        }
    }
}

package io.idempotency.simulation;

import java.util.Arrays;
import java.util.concurrent.Executor;

/** Makes a failing schedule short: replaces decisions by nothing special, as long as it still fails. */
final class Shrinking {

    private static final int MOST_RUNS = 1_500;

    private final Scene scene;
    private final Executor threads;
    private int runs;

    Shrinking(Scene scene, Executor threads) {
        this.scene = scene;
        this.threads = threads;
    }

    /** Returns the schedule that is left, as text. */
    String shortest(int... choices) {
        int[] shortest = choices.clone();
        String wanted = failure(shortest);
        if (wanted.isEmpty()) {
            return "Its recorded decisions do not fail again";
        }
        boolean isShorter = true;
        while (isShorter && runs < MOST_RUNS) {
            isShorter = false;
            for (int length = shortest.length / 2; length > 0 && runs < MOST_RUNS; length /= 2) {
                for (int from = 0; from < shortest.length && runs < MOST_RUNS; from += length) {
                    int[] tried = shortest.clone();
                    Arrays.fill(tried, from, Math.min(tried.length, from + length), 0);
                    if (!Arrays.equals(tried, shortest) && failure(tried).equals(wanted)) {
                        shortest = tried;
                        isShorter = true;
                    }
                }
            }
        }
        int end = shortest.length;
        while (end > 0 && shortest[end - 1] == 0) {
            end--;
        }
        shortest = Arrays.copyOf(shortest, end);
        Simulation simulation = simulation(true, shortest);
        String what = "does not fail any more";
        try {
            simulation.run(threads);
        } catch (AssertionError | RuntimeException e) {
            what = String.valueOf(e.getMessage());
        }
        return String.join("\n", simulation.baton().trace()) + "\n" + what + "\nChoices.of("
                + Arrays.toString(shortest).replaceAll("[\\[\\]]", "") + ")";
    }

    private Simulation simulation(boolean isTraced, int... choices) {
        return new Simulation(Choices.of(choices), scene, isTraced, Simulation.noVisits());
    }

    /** Returns how the schedule fails, without the numbers, so that it does not become another failure on the way; empty if it does not. */
    private String failure(int... choices) {
        runs++;
        try {
            simulation(false, choices).run(threads);
            return "";
        } catch (AssertionError | RuntimeException e) {
            return String.valueOf(e.getMessage()).replaceAll("\\d+", "");
        }
    }
}

package io.idempotency.simulation;

import java.util.Arrays;
import java.util.Random;

/**
 * All decisions of one schedule, in order. They come from a seed or from a list that was recorded before. 0 always means that nothing special
 * happens, so a schedule gets simpler when its decisions are replaced by 0.
 */
final class Choices {

    private final Random random;
    private final int[] given;
    private final boolean isReplay;
    private int[] made = new int[256];
    private int count;

    private Choices(Random random, int[] given, boolean isReplay) {
        this.random = random;
        this.given = given;
        this.isReplay = isReplay;
    }

    static Choices ofSeed(long seed) {
        return new Choices(new Random(seed), new int[0], false);
    }

    /** Returns decisions as recorded. Behind their end, nothing special happens. */
    static Choices of(int... recorded) {
        return new Choices(new Random(0), recorded, true);
    }

    /** Returns a number below the bound. */
    int below(int bound) {
        return note(next(bound) % bound);
    }

    /** Returns true once in so many times. */
    boolean oneIn(int times) {
        int value = isReplay ? next(2) : random.nextInt(times) == 0 ? 1 : 0;
        return note(value % 2) == 1;
    }

    private int next(int bound) {
        if (!isReplay) {
            return random.nextInt(bound);
        }
        return count < given.length ? given[count] : 0;
    }

    private int note(int value) {
        if (count == made.length) {
            made = Arrays.copyOf(made, 2 * count);
        }
        made[count++] = value;
        return value;
    }

    /** Returns what was decided until now. */
    int[] made() {
        return Arrays.copyOf(made, count);
    }
}

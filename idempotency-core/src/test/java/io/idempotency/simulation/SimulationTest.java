package io.idempotency.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.idempotency.ConsistencyLevel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/**
 * Runs schedules of the whole flow: a fixed number of seeds, or for {@code -Dminutes}. A seed that fails prints its schedule, made as short as
 * it gets.
 */
final class SimulationTest {

    private static final int SCHEDULES = 4_000;
    private static final int MOST_SEEDS = 2_000;
    private static final long MINUTE_MILLIS = 60_000;
    private static final long MINUTES = Long.getLong("minutes", 0);
    private static final List<Logger> LOGS = Stream.of("io.idempotency", "org.apache.kafka")
            .map(name -> (Logger) LoggerFactory.getLogger(name))
            .toList();

    private static final List<@Nullable Level> BEFORE = new ArrayList<>();
    private static ExecutorService threads = Executors.newCachedThreadPool();

    @BeforeAll
    static void silence() {
        for (Logger log : LOGS) {
            BEFORE.add(log.getLevel());
            log.setLevel(Level.OFF);
        }
    }

    @AfterAll
    static void endSilence() {
        for (int i = 0; i < LOGS.size(); i++) {
            LOGS.get(i).setLevel(BEFORE.get(i));
        }
        threads.shutdownNow();
    }

    @Test
    void everyScheduleKeepsThePromises() {
        Map<Branch, Integer> visits = Simulation.noVisits();
        long begin = System.nanoTime();
        long end = begin + TimeUnit.MINUTES.toNanos(MINUTES);
        long seed = Long.getLong("seed", 0);
        long schedules = 0;
        while (schedules < SCHEDULES || System.nanoTime() < end) {
            for (Scene scene : Scene.all()) {
                run(seed, scene, visits);
                schedules++;
            }
            seed++;
        }
        long millis = Math.max(1, (System.nanoTime() - begin) / 1_000_000);
        System.out.println(
                schedules + " schedules, " + schedules * MINUTE_MILLIS / millis + " a minute; visited: " + visits);
        Set<Branch> missed = EnumSet.allOf(Branch.class);
        missed.removeAll(visits.keySet());
        assertThat(missed).as("branches that no schedule visited").isEmpty();
    }

    private static void run(long seed, Scene scene, Map<Branch, Integer> visits) {
        Choices choices = Choices.ofSeed(seed);
        try {
            new Simulation(choices, scene, false, visits).run(threads);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    "Seed " + seed + " at " + scene + ": " + e.getMessage() + "\n"
                            + new Shrinking(scene, threads).shortest(choices.made()),
                    e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBrokenVariantIsCaught(Broken broken) {
        for (int seed = 0; seed < MOST_SEEDS; seed++) {
            try {
                new Simulation(Choices.ofSeed(seed), Scene.of(broken), false, Simulation.noVisits()).run(threads);
            } catch (Violation violation) {
                System.out.println(broken + " is caught after " + (seed + 1) + " seeds: " + violation.getMessage());
                return;
            }
        }
        throw new AssertionError(broken + " is not caught by " + MOST_SEEDS + " seeds");
    }

    @Test
    void aSeedIsOneSchedule() {
        for (Scene scene : Scene.all()) {
            Choices choices = Choices.ofSeed(7);
            Simulation first = new Simulation(choices, scene, true, Simulation.noVisits());
            first.run(threads);
            Simulation again = new Simulation(Choices.of(choices.made()), scene, true, Simulation.noVisits());
            again.run(threads);

            assertThat(again.baton().trace()).isEqualTo(first.baton().trace()).hasSizeGreaterThan(50);
            assertThat(Arrays.stream(choices.made()).sum()).isPositive();
        }
    }

    @Test
    void aFailingScheduleIsMadeShort() {
        Broken broken = Broken.UNKNOWN_COMMIT_TAKEN_FOR_DONE;
        for (int seed = 0; seed < MOST_SEEDS; seed++) {
            Choices choices = Choices.ofSeed(seed);
            Simulation first = new Simulation(choices, Scene.of(broken), true, Simulation.noVisits());
            try {
                first.run(threads);
            } catch (Violation violation) {
                String shortest = new Shrinking(Scene.of(broken), threads).shortest(choices.made());

                assertThat(shortest).contains("the answer of the commit is lost; it is undone", "VIOLATED: ");
                assertThat(shortest.lines().count())
                        .isLessThan(first.baton().trace().size());
                return;
            }
        }
        throw new AssertionError(broken + " is not caught");
    }

    /** Seeds of faults that were found, as the schedules are now. Each fault has a test of its own, too, for a seed means another schedule after any change here. */
    @ParameterizedTest
    @CsvSource({
        // Records were lost behind a poll that failed, if nothing of their partition was committed.
        "11, AT_LEAST_ONCE",
        "212, AT_MOST_ONCE",
        "456, STRONG",
        // A lag stayed behind a transaction marker.
        "7171, AT_MOST_ONCE",
        // An object was handed over again after a completion that the store refused.
        "3999, AT_LEAST_ONCE",
    })
    void aSeedThatFailedOnceKeepsThePromises(long seed, ConsistencyLevel level) {
        run(seed, new Scene(level, false, null), Simulation.noVisits());
    }
}

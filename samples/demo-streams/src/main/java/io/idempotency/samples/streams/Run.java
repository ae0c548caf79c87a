package io.idempotency.samples.streams;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** A run under one guarantee. */
final class Run {

    private static final int PATIENCE_SECONDS = 90;
    private static final int CHECK_EVERY_MILLIS = 200;
    private static final int MOST_COMMITS = 3;
    private static final int TRICKLE = 20;

    private final Settings settings;
    private final Screen screen;
    private final Random random;
    private final Payments payments;
    private final List<Instance> instances;
    private final String guarantee;
    private final Duration end;

    Run(Settings settings, String guarantee, String broker, Screen screen, Cleanup cleanup, Path files, Path logs)
            throws Exception {
        this.settings = settings;
        this.guarantee = guarantee;
        this.screen = screen;
        this.random = new Random(settings.seed());
        this.end = screen.elapsed().plus(settings.limit());
        this.payments = cleanup.start(() -> new Payments(broker, guarantee, settings.seed()));
        List<Instance> started = new ArrayList<>();
        for (String name : List.of("first", "second")) {
            started.add(cleanup.start(
                    () -> new Instance(guarantee + "-" + name, files, logs, broker, guarantee, settings.variant())));
        }
        this.instances = List.copyOf(started);
    }

    Verdict verdict() throws Exception {
        List<Accident> accidents = new ArrayList<>(settings.accidents());
        Collections.shuffle(accidents, random);
        for (int i = 0; i < accidents.size(); i++) {
            int share = (settings.messages() - payments.payments()) / (accidents.size() - i + 1);
            cause(accidents.get(i), instances.get(i % 2), instances.get((i + 1) % 2), share);
            screen.say(guarantee + ": " + accidents.get(i).text() + ", " + payments.records() + " records sent, "
                    + payments.lag() + " to go");
        }
        payments.send(settings.messages() - payments.payments());
        payments.sendTheRest();
        awaitTheEnd();
        for (Instance instance : instances) {
            if (!instance.stop()) {
                screen.problem("a process of " + guarantee + " did not end in order");
            }
        }
        return payments.verdict();
    }

    private void cause(Accident accident, Instance victim, Instance other, int share) throws Exception {
        switch (accident) {
            case STOPPED -> {
                payments.send(share);
                expect(victim.stop(), accident);
                victim.start();
            }
            case FROZEN -> {
                payments.send(share / 2);
                victim.signal("STOP");
                payments.send(share - share / 2);
                awaitTheEnd();
                victim.signal("CONT");
                expect(victim.isAlive(), accident);
            }
            case DURING_A_RESTORE -> {
                payments.send(share);
                awaitTheEnd();
                victim.kill();
                victim.startWithTrap(accident);
                expectHalt(accident, victim);
            }
            case DURING_A_REBALANCE -> {
                victim.setTrap(accident, 1);
                payments.send(share);
                other.kill();
                other.start();
                expectHalt(accident, victim);
            }
            default -> {
                victim.setTrap(accident, 1 + random.nextInt(isCommit(accident) ? MOST_COMMITS : share / 4));
                payments.send(share);
                expectHalt(accident, victim);
            }
        }
    }

    private static boolean isCommit(Accident accident) {
        return accident == Accident.BEFORE_THE_COMMIT || accident == Accident.BEHIND_THE_COMMIT;
    }

    private void expectHalt(Accident accident, Instance victim) throws Exception {
        boolean hasHalted = victim.awaitHalt(1);
        for (int second = 1; !hasHalted && second < PATIENCE_SECONDS; second++) {
            // A point at a commit is reached only if there is something to commit.
            payments.send(Math.min(TRICKLE, settings.messages() - payments.payments()));
            hasHalted = victim.awaitHalt(1);
        }
        expect(hasHalted, accident);
        victim.kill();
        victim.start();
    }

    private void expect(boolean hasHappened, Accident accident) {
        if (!hasHappened) {
            screen.problem("it did not happen under " + guarantee + ": " + accident.text());
        }
    }

    /** Waits until every record is committed, or all time is up. */
    private void awaitTheEnd() throws Exception {
        while (payments.lag() > 0) {
            if (screen.elapsed().compareTo(end) > 0) {
                throw new IllegalStateException(
                        "The application does not get through: " + payments.lag() + " records to go");
            }
            TimeUnit.MILLISECONDS.sleep(CHECK_EVERY_MILLIS);
        }
    }
}

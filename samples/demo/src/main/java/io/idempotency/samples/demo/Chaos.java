package io.idempotency.samples.demo;

import io.idempotency.samples.demo.Saboteur.Accident;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Causes the accidents of a run, one after the other, while payments flow. If one does not happen, the run has a problem. */
final class Chaos implements Runnable {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int STOPPED_SECONDS = Database.IDLE_IN_TRANSACTION_SECONDS + 4;

    private final Screen screen;
    private final Crew crew;
    private final AtomicInteger kills = new AtomicInteger();
    private final AtomicInteger stops = new AtomicInteger();
    private final AtomicInteger outlived = new AtomicInteger();

    private volatile boolean isOver;

    Chaos(Screen screen, Crew crew) {
        this.screen = screen;
        this.crew = crew;
    }

    /** Returns whether all accidents are over. */
    boolean isOver() {
        return isOver;
    }

    int kills() {
        return kills.get();
    }

    int stops() {
        return stops.get();
    }

    int outlived() {
        return outlived.get();
    }

    @Override
    public void run() {
        try {
            Child first = join();
            Child second = join();
            Child third = join();
            kill(first, Accident.HALT_IN_POLL, "in the middle of a poll");
            Child fourth = join();
            stopInTransaction(third);
            kill(second, Accident.HALT_AFTER_COMMIT, "after the database's commit, before the offsets'");
            Child fifth = join();
            outlivePollInterval(fourth);
            crew.leave(fifth);
            crew.join();
        } catch (IOException e) {
            screen.problem("the chaos could not go on: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            isOver = true;
        }
    }

    /** Starts a consumer and waits until it has worked. */
    private Child join() throws IOException, InterruptedException {
        Child consumer = crew.join();
        long end = System.nanoTime() + SOON.toNanos();
        while (consumer.tally().get(Tally.Count.DELIVERIES) == 0) {
            if (System.nanoTime() > end || !consumer.isAlive()) {
                screen.problem(consumer.name() + " got nothing to do, see its log");
                break;
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
        return consumer;
    }

    private void kill(Child consumer, Accident accident, String when) throws IOException, InterruptedException {
        consumer.tell(accident.name());
        if (consumer.awaitExit(Saboteur.HALTED, SOON)) {
            kills.incrementAndGet();
            screen.say("chaos: " + consumer.name() + " was killed " + when);
        } else {
            screen.problem(consumer.name() + " was not killed " + when);
        }
    }

    /** Stops a process with an open transaction until the others have gone on without it. Then wakes it up. */
    private void stopInTransaction(Child consumer) throws IOException, InterruptedException {
        consumer.tell(Accident.HOLD_IN_TRANSACTION.name());
        if (!consumer.awaitEvent(Saboteur.HOLDING, SOON) || !consumer.signal("STOP")) {
            screen.problem(consumer.name() + " was not stopped in mid-transaction");
            return;
        }
        screen.say("chaos: " + consumer.name() + " was stopped in mid-transaction (SIGSTOP)");
        TimeUnit.SECONDS.sleep(STOPPED_SECONDS);
        if (consumer.signal("CONT")) {
            stops.incrementAndGet();
            screen.say("chaos: " + consumer.name() + " continues after " + STOPPED_SECONDS + " s (SIGCONT)");
        }
    }

    private void outlivePollInterval(Child consumer) throws IOException, InterruptedException {
        consumer.tell(Accident.OUTLIVE_POLL_INTERVAL.name());
        if (!consumer.awaitEvent(Saboteur.STALLING, SOON)) {
            screen.problem(consumer.name() + " did not outlive max.poll.interval.ms");
            return;
        }
        screen.say("chaos: the database is slow for " + consumer.name() + ", longer than max.poll.interval.ms");
        if (consumer.awaitEvent(Saboteur.STALLED, SOON)) {
            outlived.incrementAndGet();
            screen.say("chaos: " + consumer.name() + " goes on, max.poll.interval.ms is over");
        }
    }
}

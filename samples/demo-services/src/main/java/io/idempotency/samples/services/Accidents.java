package io.idempotency.samples.services;

import io.idempotency.samples.demo.Screen;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Causes the accidents of a run, one after the other, while orders come in. If one does not happen, the run has a problem. */
final class Accidents implements Runnable {

    private static final int LOOK_EVERY_MILLIS = 100;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final Screen screen;
    private final Services services;
    private final Databases databases;
    private final Mails mails;
    private final Clients clients;
    private final int orders;
    private final AtomicInteger relaysKilled = new AtomicInteger();

    Accidents(Screen screen, Services services, Databases databases, Mails mails, Clients clients, int orders) {
        this.screen = screen;
        this.services = services;
        this.databases = databases;
        this.mails = mails;
        this.clients = clients;
        this.orders = orders;
    }

    /** Returns how many relays were killed between send and mark. */
    int relaysKilled() {
        return relaysKilled.get();
    }

    @Override
    public void run() {
        try {
            await("orders to come in", () -> clients.count() > orders / 10);
            killRelay("orders");
            await("payments to be made", () -> payments() > orders / 20);
            killWhere("payments", "payment", "insert into payment", "in the middle of its transaction");
            killInACall();
            // The first polls after the pause are large, so the next accident hits the middle of one.
            long before = payments();
            await("payments to be made again", () -> payments() > before + orders / 100);
            killRelay("payments");
            killWhere("ledger", "entry", "insert into entry", "in the middle of its transaction");
        } catch (Exception e) {
            screen.problem("the accidents could not go on: " + e);
        }
    }

    private long payments() throws SQLException {
        return databases.count("payments", "payment");
    }

    private void killRelay(String database) throws Exception {
        killWhere(database, "idempotency_outbox", "delete from idempotency_outbox", "between send and mark");
        relaysKilled.incrementAndGet();
    }

    /** Kills the node that waits in a statement, and starts it again. */
    private void killWhere(String database, String table, String statement, String when) throws Exception {
        await("a node of " + database + " to be " + when, () -> {
            Optional<Service> caught;
            try (Trap trap = Trap.on(databases, database, table)) {
                caught = trap.caught(statement).map(services::node);
                if (caught.isPresent()) {
                    caught.get().kill();
                }
            }
            if (caught.isPresent()) {
                startAgain(caught.get(), when);
            }
            return caught.isPresent();
        });
    }

    /** Kills the node that has made a call and waits for the answer. */
    private void killInACall() throws Exception {
        mails.holdAnswers();
        try {
            await("a notification to be made", () -> mails.held() > 0);
            services.node("notifications").kill();
        } finally {
            mails.answer();
        }
        startAgain(services.node("notifications"), "in the middle of a call");
    }

    private void startAgain(Service node, String when) throws IOException {
        screen.say("accident: " + node.name() + " was killed " + when + ", and is started again");
        node.startAgain();
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new TimeoutException("timed out waiting for " + what);
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
        }
    }
}

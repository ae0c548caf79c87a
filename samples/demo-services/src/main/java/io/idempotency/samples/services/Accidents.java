package io.idempotency.samples.services;

import io.idempotency.samples.demo.Screen;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The accidents of a run, one after the other, while orders come in. Each must happen, or the run has a problem. */
final class Accidents implements Runnable {

    private static final int TRAPS = 30;
    private static final int LOOK_EVERY_MILLIS = 200;

    private final Screen screen;
    private final Services services;
    private final Databases databases;
    private final Clients clients;
    private final int orders;
    private final AtomicInteger relaysKilled = new AtomicInteger();

    Accidents(Screen screen, Services services, Databases databases, Clients clients, int orders) {
        this.screen = screen;
        this.services = services;
        this.databases = databases;
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
            await(() -> clients.count() > orders / 10);
            killRelay("orders");
            await(() -> databases.count("payments", "payment") > orders / 10);
            kill("payments", "in the middle of a poll");
            await(() -> clients.count() > orders / 3);
            killWhere("ledger", "entry", "insert into entry", "in the middle of its transaction");
            kill("notifications", "between calls, or in one");
            await(() -> databases.count("payments", "payment") > orders / 3);
            killRelay("payments");
            killRelay("orders");
        } catch (Exception e) {
            screen.problem("the accidents could not go on: " + e);
        }
    }

    private void kill(String name, String when) throws IOException, InterruptedException {
        Service node = services.node(name);
        node.kill();
        screen.say("accident: " + node.name() + " was killed " + when);
        node.startAgain();
    }

    private void killRelay(String database) throws SQLException, IOException, InterruptedException {
        if (killWhere(database, "outbox", "delete from outbox", "between send and mark")) {
            relaysKilled.incrementAndGet();
        }
    }

    /** Kills the node that is caught in a statement, and starts it again. Returns whether one was caught. */
    private boolean killWhere(String database, String table, String statement, String when)
            throws SQLException, IOException, InterruptedException {
        for (int i = 0; i < TRAPS; i++) {
            Optional<String> caught;
            try (Trap trap = Trap.on(databases, database, table)) {
                caught = trap.caught(statement);
                if (caught.isPresent()) {
                    services.node(caught.get()).kill();
                }
            }
            if (caught.isPresent()) {
                screen.say("accident: " + caught.get() + " was killed " + when);
                services.node(caught.get()).startAgain();
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
        }
        screen.problem("no node of " + database + " was killed " + when);
        return false;
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        while (!condition.call()) {
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
        }
    }
}

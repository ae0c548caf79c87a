package io.idempotency.samples.services;

import io.idempotency.samples.demo.Screen;
import io.idempotency.samples.services.OperationsPage.Example;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** An operator of payments and ledger, with the page in his hand. */
record Operator(
        Screen screen,
        Site site,
        OperationsPage page,
        Shop shop,
        Deployment payments,
        Deployment ledger,
        Checks checks) {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int LOOK_EVERY_MILLIS = 200;

    List<Deployment> both() {
        return List.of(payments, ledger);
    }

    /** Has orders sent that must be paid and posted. Returns their positions. */
    List<String> order(List<Shop.Order> orders) throws Exception {
        checks.mustPost(orders);
        return shop.send(orders);
    }

    /** Waits until both services have settled all messages, and those that they have caused. */
    void awaitWorkedOff() throws Exception {
        await(
                "all messages to be settled",
                () -> payments.lag() == 0
                        && site.databases().count("payments", "idempotency_outbox") == 0
                        && ledger.lag() == 0);
    }

    /**
     * Replays quarantined messages by the statements of the page, and waits until that is done. Returns how many were processed.
     *
     * @param id of the replay
     * @param which condition on the quarantine
     */
    long replay(Deployment service, String id, String which) throws Exception {
        int chosen = service.update(
                page.statement(Example.REPLAY, id, service.consumer()),
                page.statement(Example.CHOOSE, id, service.consumer(), which));
        screen.say("asked " + service.consumer() + " for the replay " + id + " of " + chosen);
        String progress = page.statement(Example.PROGRESS, id);
        await(
                "the replay " + id + " to end",
                () -> !service.query(progress, row -> row.getString("status")).contains("RUNNING"));
        return service.query(progress, row -> row.getLong("processed")).get(0);
    }

    /** Returns the status of a message by the query of the page. */
    long status(Deployment service, Shop.Order order) throws Exception {
        String query = page.statement(
                Example.STATUS, service.consumer(), order.messageId().toString());
        return service.query(query, row -> row.getLong("status")).get(0);
    }

    /** Prints what the library tells about a message. */
    void ask(Deployment service, String message) {
        screen.say(service.explain(message).sentence());
    }

    void await(String what, Callable<Boolean> condition) throws Exception {
        screen.say("waiting for " + what);
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            site.services().refuseFailed();
            if (System.nanoTime() > end) {
                throw new GaveUpException("still waiting for " + what + " after " + PATIENCE.toSeconds() + " s");
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
        }
    }
}

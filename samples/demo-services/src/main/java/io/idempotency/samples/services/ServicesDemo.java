package io.idempotency.samples.services;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * Runs the services of the samples and shows that each order is paid and posted once, although nodes are killed and messages are delivered more than
 * once.
 *
 * <p>It starts a broker, a PostgreSQL, and each service as a process of its own, as its users start it. Clients place orders and repeat requests ({@link
 * Clients}). Nodes are killed at bad moments and started again ({@link Accidents}). At the end it compares every order with every row of the payments and of
 * the ledger ({@link Audit}). The exit status is 0 if nothing is lost or doubled, and if all accidents have happened.
 */
public final class ServicesDemo {

    private static final int PROGRESS_EVERY_MILLIS = 3_000;
    private static final int CHECK_EVERY_MILLIS = 500;

    private final Settings settings;
    private final Cleanup cleanup;
    private final Screen screen = new Screen();

    private ServicesDemo(Settings settings, Cleanup cleanup) {
        this.settings = settings;
        this.cleanup = cleanup;
    }

    /** Runs the demo; system properties are those of {@code Settings}. */
    public static void main(String[] args) {
        Run.thenExit(cleanup -> new ServicesDemo(Settings.fromSystemProperties(), cleanup).run());
    }

    private boolean run() throws Exception {
        Stage stage = Stage.setUp(settings, screen, cleanup);
        await(stage, "orders-1 to answer", () -> stage.clients().isAnsweredBy(0));
        stage.services().startSecond();
        await(stage, "orders-2 to answer", () -> stage.clients().isAnsweredBy(1));
        Thread clients = start("clients", () -> {
            stage.clients().placeAll(Settings.SENDING);
            return null;
        });
        Thread accidents = start("accidents", () -> {
            stage.accidents().run();
            stage.clients().accidentsAreOver();
            return null;
        });
        await(stage, "the orders and the accidents", () -> !clients.isAlive() && !accidents.isAlive());
        await(stage, "everything to go through", stage::isWorkedOff);
        if (settings.isKept()) {
            judge(stage);
            stage.services().kept().stay(stage, screen);
        }
        stage.services().leave();
        return judge(stage);
    }

    private boolean judge(Stage stage) throws Exception {
        Findings findings = Findings.gather(stage);
        screen.expectSome(stage.clients().retries(), "a request without an answer");
        screen.expectSome(findings.orderMessages().copies(), "an order sent again by a relay");
        screen.expectSome(findings.paymentMessages().copies(), "a payment sent again by a relay");
        screen.expectSome(findings.mails().repeated(), "a call made again after a crash");
        if (settings.isRemembering()) {
            screen.expectSome(findings.duplicates().redeliveries(), "a redelivery skipped");
            screen.expectSome(findings.duplicates().resends(), "a re-send skipped");
            screen.expectSome(findings.quarantine().found(), "a payment refused");
        }
        if (stage.clients().conflicts() > 0) {
            screen.problem(stage.clients().conflicts() + " orders were refused");
        }
        findings.problems().forEach(screen::problem);
        findings.report(stage).print();
        screen.problems().forEach(problem -> System.out.println("PROBLEM: " + problem));
        System.out.println(findings.sentence(screen.problems().isEmpty()));
        System.out.println(findings.verdict());
        System.out.flush();
        return screen.problems().isEmpty();
    }

    private void await(Stage stage, String what, Callable<Boolean> isDone) throws Exception {
        screen.say("waiting for " + what);
        long nextProgress = screen.elapsed().toMillis() + PROGRESS_EVERY_MILLIS;
        while (!isDone.call()) {
            stage.services().refuseFailed();
            if (screen.elapsed().compareTo(settings.limit()) > 0) {
                throw new GaveUpException("after " + settings.limit().toMinutes() + " minutes still waiting for " + what
                        + "; " + stage.progress() + "; see " + settings.logs());
            }
            if (screen.elapsed().toMillis() > nextProgress) {
                screen.say(stage.progress());
                nextProgress = screen.elapsed().toMillis() + PROGRESS_EVERY_MILLIS;
            }
            TimeUnit.MILLISECONDS.sleep(CHECK_EVERY_MILLIS);
        }
    }

    private Thread start(String name, Callable<?> work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.call();
                    } catch (Exception e) {
                        screen.problem(name + " failed: " + e);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}

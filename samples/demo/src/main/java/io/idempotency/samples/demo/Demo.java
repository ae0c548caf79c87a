package io.idempotency.samples.demo;

import io.idempotency.samples.demo.Tally.Count;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * Shows that the effect of a message happens once, although every cause of duplicates occurs.
 *
 * <p>It starts a broker and a PostgreSQL. Most payments are sent by a producer that loses acknowledgments ({@link LossyProxy}) and sends again, some by an
 * {@link OutboxRelay} that is killed between send and mark. Consumer processes ({@link PaymentConsumer}) move the amounts between accounts. Meanwhile
 * ({@link Chaos}) consumers join and leave. One is killed in the middle of a poll, one between the two commits, one is stopped in mid-transaction and
 * continued, one outlives {@code max.poll.interval.ms}. Accounts deadlock, the handler sometimes fails ({@link PaymentHandler}), and one payment can never be
 * handled.
 *
 * <p>At the end it compares every payment with every posting ({@link Audit}). The exit status is 0 if nothing is lost or doubled, and if all accidents above
 * have happened.
 */
public final class Demo {

    private static final int PROGRESS_EVERY_MILLIS = 3_000;
    private static final int CHECK_EVERY_MILLIS = 500;

    private final Settings settings;
    private final Cleanup cleanup;
    private final Screen screen = new Screen();

    private Demo(Settings settings, Cleanup cleanup) {
        this.settings = settings;
        this.cleanup = cleanup;
    }

    /** Runs the demo; system properties are those of {@code Settings}. */
    public static void main(String[] args) {
        boolean isGood = false;
        Cleanup cleanup = new Cleanup();
        try {
            isGood = new Demo(Settings.fromSystemProperties(), cleanup).run();
        } catch (Exception e) {
            if (!cleanup.isClosed()) {
                e.printStackTrace();
            }
        } finally {
            cleanup.close();
        }
        System.exit(isGood ? 0 : 1);
    }

    private boolean run() throws Exception {
        Path files = cleanup.temporary(settings.folder().resolve("run"));
        Path logs = settings.folder().resolve("logs");
        Files.createDirectories(logs);
        Stage stage = Stage.setUp(settings, screen, cleanup, files, logs);
        cleanup.after(screen);
        play(stage);
        return judge(stage);
    }

    /** Sends payments and causes accidents until all payments are processed. */
    private void play(Stage stage) throws Exception {
        Thread sending = start("source", stage.source());
        Thread relaying = start("relays", stage.relay());
        Thread accidents = start("chaos", stage.chaos());
        await(stage, "the payments and the accidents", () -> !sending.isAlive() && !accidents.isAlive());
        await(stage, "the outbox to be empty", () -> stage.outbox().size() == 0);
        stage.relay().leave();
        relaying.join();
        await(stage, "the topic to be consumed", () -> stage.topic().lag() == 0);
        stage.crew().leaveAll();
    }

    private boolean judge(Stage stage) throws Exception {
        Findings findings = Findings.gather(stage);
        checkThatItHappened(stage, findings);
        findings.problems().forEach(screen::problem);
        findings.report(stage).print();
        screen.problems().forEach(problem -> System.out.println("PROBLEM: " + problem));
        System.out.println(Report.sentence(findings.audit(), screen.problems().isEmpty()));
        System.out.println(Report.verdict(findings.audit(), findings.tally()));
        System.out.flush();
        return screen.problems().isEmpty();
    }

    private void checkThatItHappened(Stage stage, Findings findings) throws Exception {
        Tally tally = findings.tally();
        screen.expectSome(stage.broker().droppedAcknowledgments(), "a lost acknowledgment");
        screen.expectSome(findings.copies(Ledger.Way.DIRECT), "a copy by a producer's retry");
        screen.expectSome(findings.copies(Ledger.Way.OUTBOX), "a copy by the outbox relay");
        screen.expectSome(stage.relay().crashes(), "a crash of the relay between send and mark");
        screen.expectSome(stage.database().deadlocks(), "a deadlock");
        screen.expectSome(stage.chaos().kills(), "a killed consumer");
        screen.expectSome(stage.chaos().stops(), "a consumer stopped in mid-transaction");
        screen.expectSome(stage.chaos().outlived(), "a consumer that outlives max.poll.interval.ms");
        screen.expectSome(tally.get(Count.FAILURES), "a handler that fails now and then");
        screen.expectSome(tally.get(Count.RETRIED), "a retry");
        screen.expectSome(tally.get(Count.REDELIVERIES), "a redelivery skipped");
        screen.expectSome(tally.get(Count.RESENDS), "a re-send skipped");
        stage.crew().failed().forEach(child -> screen.problem(child.name() + " ended by itself, see its log"));
    }

    private void await(Stage stage, String what, Callable<Boolean> isDone) throws Exception {
        long nextProgress = 0;
        while (!isDone.call()) {
            if (screen.elapsed().compareTo(settings.limit()) > 0) {
                screen.problem("gave up waiting for " + what);
                return;
            }
            if (screen.elapsed().toMillis() > nextProgress) {
                screen.say(stage.progress());
                nextProgress = screen.elapsed().toMillis() + PROGRESS_EVERY_MILLIS;
            }
            TimeUnit.MILLISECONDS.sleep(CHECK_EVERY_MILLIS);
        }
    }

    private Thread start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler((failed, e) -> screen.problem(name + " failed: " + e));
        thread.start();
        return thread;
    }
}

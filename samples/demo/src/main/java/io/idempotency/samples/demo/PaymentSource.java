package io.idempotency.samples.demo;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sends the payments: one in five by the outbox, the others by a producer, one of them poisonous. Every payment is first written to the ledger. They are
 * spread over {@link Settings#SENDING}. The last tenth is spread more and more thinly until all accidents have happened, because accidents need
 * traffic.
 */
final class PaymentSource implements Runnable {

    private static final int OUTBOX_ONE_IN = 5;

    private final Settings settings;
    private final Screen screen;
    private final Ledger ledger;
    private final DirectSender direct;
    private final Outbox outbox;
    private final Chaos accidents;
    private final Payments payments;
    private final AtomicInteger sent = new AtomicInteger();
    private final Payment poisonous;

    PaymentSource(
            Settings settings, Screen screen, Ledger ledger, DirectSender direct, Outbox outbox, Chaos accidents) {
        this.settings = settings;
        this.screen = screen;
        this.ledger = ledger;
        this.direct = direct;
        this.outbox = outbox;
        this.accidents = accidents;
        this.payments = new Payments(settings.seed());
        this.poisonous = payments.poisonous();
    }

    /** Returns the number of sent payments. */
    int sent() {
        return sent.get();
    }

    Payment poisonous() {
        return poisonous;
    }

    @Override
    public void run() {
        try {
            long start = System.nanoTime();
            while (sent.get() < settings.messages()) {
                sendUpTo(due(System.nanoTime() - start));
                TimeUnit.MILLISECONDS.sleep(20);
            }
            direct.close();
            screen.say("sent all " + sent.get() + " payments");
            if (direct.failed() > 0) {
                screen.problem("the producer gave up on " + direct.failed() + " payments");
            }
        } catch (SQLException e) {
            screen.problem("the outbox cannot be written: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int due(long elapsedNanos) {
        double part = (double) elapsedNanos / Settings.SENDING.toNanos();
        if (part > 0.9) {
            part = accidents.isOver() ? 1 : 1 - 0.09 / part;
        }
        return Math.min(settings.messages(), 1 + (int) (settings.messages() * part));
    }

    private void sendUpTo(int due) throws SQLException {
        List<Payment> forOutbox = new ArrayList<>();
        for (int number = sent.get(); number < due; number++) {
            if (number == settings.messages() / 3) {
                sendDirectly(poisonous);
            } else if (number % OUTBOX_ONE_IN == 1) {
                Payment payment = payments.next();
                ledger.record(Ledger.Way.OUTBOX, payment);
                forOutbox.add(payment);
            } else {
                sendDirectly(payments.next());
            }
        }
        outbox.add(forOutbox);
        sent.set(due);
    }

    private void sendDirectly(Payment payment) {
        ledger.record(Ledger.Way.DIRECT, payment);
        direct.send(payment);
    }
}

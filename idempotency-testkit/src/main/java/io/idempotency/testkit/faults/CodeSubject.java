package io.idempotency.testkit.faults;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** Code that is called with a message, on the thread of the test. */
final class CodeSubject<M> implements Subject {

    private static final String RECORD = "org.apache.kafka.clients.consumer.ConsumerRecord";
    private static final String SAME = "the same message";
    private static final String COPY = "a copy of it";
    private static final long PAUSE_MILLIS = 5;

    /** Calls the code. */
    @FunctionalInterface
    interface Call<M> {

        /** Returns whether the message is settled. */
        boolean settles(M message) throws Exception;
    }

    private final Supplier<? extends M> messages;
    private final Call<? super M> call;
    private final boolean hasHandler;
    private final Probe probe;
    private final Duration patience;

    CodeSubject(
            Supplier<? extends M> messages, Call<? super M> call, boolean hasHandler, Probe probe, Duration patience) {
        this.messages = messages;
        this.call = call;
        this.hasHandler = hasHandler;
        this.probe = probe;
        this.patience = patience;
    }

    @Override
    public String messages() {
        List<String> ids = probe.history().ids();
        return ids.isEmpty() ? String.valueOf(messages.get()) : ids.get(0);
    }

    @Override
    public int count() {
        return 1;
    }

    @Override
    public boolean hasHandler() {
        return hasHandler;
    }

    @Override
    public void deliver() {
        untilSettled(SAME, messages);
    }

    @Override
    public void deliverAgain() {
        untilSettled(SAME, messages);
        untilSettled(COPY, () -> copy(messages.get()));
    }

    private M copy(M message) {
        return message.getClass().getName().equals(RECORD) ? RecordCopies.copy(message) : message;
    }

    private void untilSettled(String what, Supplier<? extends M> next) {
        long end = System.nanoTime() + patience.toNanos();
        while (!isSettled(what, next.get())) {
            if (System.nanoTime() - end > 0) {
                throw new NotSettledException("was not settled within " + patience.toSeconds() + " s");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS));
        }
    }

    private boolean isSettled(String what, M message) {
        probe.lives();
        probe.delivers(what);
        try {
            return call.settles(message);
        } catch (ProcessDied died) {
            return false;
        } catch (InterruptedException e) {
            throw new NotSettledException("was interrupted");
        } catch (Exception e) {
            probe.history().happened("failed with " + History.words(e));
            return false;
        } finally {
            probe.hasDelivered();
        }
    }
}

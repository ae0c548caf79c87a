package io.idempotency;

import io.idempotency.replay.ReplayStore;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out the replays of a consumer in this process: hands quarantined messages to its handler again, so that the effect of each happens as its level
 * says. One for each consumer and process. It looks for running replays every 5 seconds, and at {@link #wake} at once.
 *
 * <pre>{@code
 * Replayer<Order> replayer = Replayer.of(billing, replays);
 * replayer.start((entry, replay) -> replayer.consumer().consume(read(entry), (order, claim) -> charge(order)));
 * ...
 * replayer.close();
 * }</pre>
 *
 * <ul>
 *   <li>Messages are handled one at a time on one thread, in order of offset within each partition. One node at a time works on a partition. It keeps
 *       the turn while there is work. If it dies, another one follows within a minute.
 *   <li>Several nodes divide the rate of a replay by the partitions whose turn they have.
 *   <li>A pause or stop takes effect before the next message.
 *   <li>A failure saves the message with one more attempt, and the replay goes on with the next one. It never touches the state of the live partition.
 *       A transient failure counts nothing; the partition waits and tries again. While the live partition in this process waits, its replay waits with
 *       it, at most a minute at a time.
 *   <li>A crash at any point loses nothing. Under {@code STRONG} it doubles nothing either. Under {@code AT_LEAST_ONCE} the effect of one message may
 *       repeat, under {@code AT_MOST_ONCE} it may be missing.
 * </ul>
 *
 * <p>{@link #consumer()} is a companion of the live consumer. Its claims take the message of the running replay out of quarantine, and its transactions
 * delete the entry before they commit. So code that consumes messages, such as the adapters of a listener container, runs unchanged with it: build it
 * once with this consumer, and let the {@link ReplayHandler} call it with a record, or with a batch of one. Code that joins a transaction of the caller may
 * begin it as ever. Exceptions of the handler leave to the {@link ReplayHandler}, which throws them on.
 *
 * <p>A transaction runner and a {@link MessageScope} are those of the live consumer. The quarantine and the replays must be in the database that
 * the thread reaches outside of any scope.
 *
 * <p>An unreachable store does not end it: it logs once and tries again. An error of the virtual machine ends it; {@link #failure} tells. Thread-safe.
 */
public final class Replayer<M> implements AutoCloseable {

    /** How long {@link #close} waits for the message that is being handled. */
    public static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

    static final Duration TURN = Duration.ofMinutes(1);

    private static final Logger log = LoggerFactory.getLogger(Replayer.class);
    private static final Duration FIRST_BACK_OFF = Duration.ofSeconds(1);
    private static final Duration LONGEST_BACK_OFF = Duration.ofSeconds(30);

    private final String name;
    private final ReplayParts<M> parts;
    private final IdempotentConsumer<M> companion;
    private final ReplaySignals signals = new ReplaySignals();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable Thread thread;
    private volatile @Nullable Throwable failure;
    private int troubles;
    private String trouble = "";

    private Replayer(IdempotentConsumer<M> consumer, ReplayStore replays, Clockwork clockwork, Duration turn) {
        Settings<M> live = consumer.settings();
        this.name = live.name();
        if (live.isShadow()) {
            throw new IdempotencyException("Consumer " + name + " only watches: a shadow consumer replays nothing");
        }
        ReplayGuard<M> guard = new ReplayGuard<>(
                live,
                consumer.flow().known(),
                live.failures()
                        .quarantine()
                        .orElseThrow(() -> new IdempotencyException("Consumer " + name
                                + " has no quarantine, so there is nothing to replay: set quarantine(..)")),
                replays,
                work -> signals.untilDone(work, live.storage().store().transactions(), clockwork));
        this.companion = new IdempotentConsumer<>(ReplaySettings.of(live, guard), clockwork);
        this.parts = new ReplayParts<>(
                live,
                guard,
                replays,
                new ReplayTurns(name, replays, clockwork.nanoTime(), turn),
                new ReplayWaits(consumer.flow().lanes(), clockwork),
                clockwork.nanoTime());
    }

    /**
     * Returns a replayer for the quarantine of a consumer. It does nothing before {@link #start}.
     *
     * @throws IdempotencyException if the consumer has no quarantine, or is a shadow consumer
     */
    public static <M> Replayer<M> of(IdempotentConsumer<M> consumer, ReplayStore replays) {
        return of(consumer, replays, Clockwork.of(System::nanoTime), TURN);
    }

    static <M> Replayer<M> of(IdempotentConsumer<M> consumer, ReplayStore replays, Clockwork clockwork, Duration turn) {
        return new Replayer<>(consumer, replays, clockwork, turn);
    }

    /** Returns the consumer to which the {@link ReplayHandler} hands each message. It refuses messages that are not being replayed. */
    public IdempotentConsumer<M> consumer() {
        return companion;
    }

    /**
     * Begins to look for replays, on a daemon thread of its own.
     *
     * @throws IdempotencyException if it was started before
     */
    public void start(ReplayHandler handler) {
        start(handler, () -> true);
    }

    /**
     * Begins as {@link #start(ReplayHandler)} does, and works only while the condition holds. It is asked before each message, on the thread of the
     * replayer. While it does not hold, other nodes have the turns.
     *
     * @throws IdempotencyException if it was started before
     */
    public synchronized void start(ReplayHandler handler, BooleanSupplier isWorking) {
        if (thread != null) {
            throw new IdempotencyException("The replays of " + name + " are carried out already; start one only once");
        }
        ReplayRounds rounds = rounds(handler, isWorking);
        Thread working = new Thread(() -> run(rounds, isWorking), "idempotency-replays-" + name);
        working.setDaemon(true);
        thread = working;
        working.start();
    }

    ReplayRounds rounds(ReplayHandler handler) {
        return rounds(handler, () -> true);
    }

    private ReplayRounds rounds(ReplayHandler handler, BooleanSupplier isWorking) {
        return new ReplayRounds(parts, handler, () -> signals.isClosing() || !isWorking.getAsBoolean());
    }

    private void run(ReplayRounds rounds, BooleanSupplier isWorking) {
        try {
            while (!signals.isClosing()) {
                signals.pause(round(rounds, isWorking));
            }
            rounds.close();
        } catch (RuntimeException e) {
            log.info("The turns of the replays of {} could not be given back; they end by themselves.", name, e);
        } catch (Throwable fatal) {
            failure = fatal;
            log.error("The replays of {} end here.", name, FailureText.loggable(fatal));
            throw Sneaky.unchecked(fatal);
        } finally {
            ended.countDown();
        }
    }

    /** Works for a round. Returns how long to wait. */
    private Duration round(ReplayRounds rounds, BooleanSupplier isWorking) {
        try {
            if (!isWorking.getAsBoolean()) {
                rounds.rest();
                return ReplayRounds.LOOK;
            }
            Duration wait = rounds.round();
            if (troubles > 0) {
                log.info("The replays of {} go on.", name);
            }
            troubles = 0;
            trouble = "";
            return wait;
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            Duration wait = BackOff.doubling(FIRST_BACK_OFF, LONGEST_BACK_OFF, ++troubles);
            String now = FailureText.line(e);
            if (!now.equals(trouble) && !signals.isClosing()) {
                log.error(
                        "The replays of {} cannot go on; they are tried again, after 1 to 30 s each time. Nothing is lost.",
                        name,
                        FailureText.loggable(e));
            }
            trouble = now;
            return wait;
        } finally {
            // A handler may have interrupted its thread.
            boolean unused = Thread.interrupted();
        }
    }

    /** Looks for replays at once. Whoever has asked for one or resumed one in this process calls it. */
    public void wake() {
        signals.wake();
    }

    /** Returns whether it was started and has not ended. */
    public boolean isRunning() {
        return thread != null && ended.getCount() > 0;
    }

    /** Returns the error that ended it; empty while it runs, and if it was closed. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** Ends it: waits for the message that is being handled, at most {@link #CLOSE_TIMEOUT}, and not at all if its handler calls this. */
    @Override
    public void close() {
        signals.close();
        Thread working = thread;
        if (working != null && working != Thread.currentThread()) {
            awaitEnd();
        }
        companion.close();
    }

    private void awaitEnd() {
        try {
            if (!ended.await(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                log.warn(
                        "A replay of {} still handles a message after {} s; it ends by itself when that is done.",
                        name,
                        CLOSE_TIMEOUT.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

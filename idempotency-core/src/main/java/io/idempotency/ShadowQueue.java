package io.idempotency;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The deliveries that a shadow consumer has watched and not yet taken to the store. {@link #add} never waits. One daemon thread, begun by the first
 * delivery, takes them to the store; while it is slow or hangs, the queue fills, and further deliveries are dropped and counted. Thread-safe.
 */
final class ShadowQueue implements AutoCloseable {

    /** How many deliveries wait at most. Each takes some 300 bytes. */
    static final int MOST = 20_000;

    /** How long {@link #close} waits until the rest is taken to the store. */
    static final Duration CLOSE_TIME = Duration.ofSeconds(10);

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final String consumer;
    private final int chunk;
    private final ShadowReports reports;
    private final ShadowClaims<?> claims;
    private final BlockingQueue<Watched> waiting = new LinkedBlockingQueue<>(MOST);
    private final Set<Lane> left = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Run running;

    ShadowQueue(String consumer, int chunk, ShadowReports reports, ShadowClaims<?> claims) {
        this.consumer = consumer;
        this.chunk = chunk;
        this.reports = reports;
        this.claims = claims;
    }

    /** Returns whether a delivery would be dropped now. */
    boolean isFull() {
        return waiting.remainingCapacity() == 0;
    }

    /** Adds a delivery, or drops it if the queue is full. */
    void add(Watched watched) {
        if (!waiting.offer(watched)) {
            reports.dropped(watched.delivery());
        }
        Run run = running;
        if (run == null || run.isClosing) {
            begin();
        }
    }

    /** Has the store told that this process has left a partition. */
    void left(Lane lane) {
        left.add(lane);
    }

    private synchronized void begin() {
        if (running == null) {
            Run run = new Run();
            running = run;
            run.thread.setDaemon(true);
            run.thread.start();
        }
    }

    /** Ends the thread when the queue is empty, or gives up the rest after a while. A later delivery begins another thread. */
    @Override
    public void close() {
        Run run = running;
        if (run == null) {
            return;
        }
        run.isClosing = true;
        run.wake();
        try {
            if (run.ended.await(CLOSE_TIME.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        giveUp(run);
    }

    private void giveUp(Run run) {
        int inHand = run.inHand; // the interrupted thread lets go of them
        run.givenUp.countDown();
        run.thread.interrupt();
        List<Watched> rest = new ArrayList<>();
        synchronized (this) {
            if (running == run) {
                running = null;
            }
            waiting.drainTo(rest);
        }
        rest.removeIf(Run.WAKE::equals);
        rest.forEach(watched -> reports.dropped(watched.delivery()));
        log.warn(
                "Shadow consumer {} is closed, but its store does not answer in time: {} deliveries are not remembered.",
                consumer,
                rest.size() + inHand);
    }

    /** The life of one thread. */
    private final class Run implements Runnable {

        private static final Watched WAKE = Watched.none();

        private final CountDownLatch ended = new CountDownLatch(1);
        private final CountDownLatch givenUp = new CountDownLatch(1);
        private final Thread thread = new Thread(this, "idempotency-shadow-" + consumer);
        private volatile boolean isClosing;
        private volatile int inHand;

        void wake() {
            if (!waiting.offer(WAKE)) {
                log.debug("Shadow consumer {} need not be woken: its queue is full.", consumer);
            }
        }

        @Override
        public void run() {
            try {
                List<Watched> some = next();
                while (!some.isEmpty()) {
                    inHand = some.size();
                    observe(some);
                    inHand = 0;
                    some = next();
                }
            } catch (InterruptedException e) {
                log.debug("Shadow consumer {} was given up.", consumer);
            } finally {
                ended.countDown();
            }
        }

        /** Waits for deliveries. Empty if the queue is closed, and all of them are done. */
        private List<Watched> next() throws InterruptedException {
            List<Watched> some = new ArrayList<>();
            while (some.isEmpty() && !isEnd()) {
                Watched first = isClosing ? waiting.poll() : waiting.take();
                if (first != null) {
                    some.add(first);
                    waiting.drainTo(some, chunk - 1);
                    some.removeIf(WAKE::equals);
                }
            }
            return some;
        }

        private boolean isEnd() {
            synchronized (ShadowQueue.this) {
                boolean isEnd = givenUp.getCount() == 0 || (isClosing && waiting.isEmpty());
                if (isEnd && running == this) {
                    running = null;
                }
                return isEnd;
            }
        }

        private void observe(List<Watched> some) {
            try {
                List.copyOf(left).forEach(lane -> {
                    left.remove(lane);
                    claims.leave(lane);
                });
                claims.observe(some, this::pause);
            } catch (Throwable thrown) {
                log.error(
                        "Shadow consumer {} failed for {} deliveries; it does not watch them.",
                        consumer,
                        some.size(),
                        FailureText.loggable(thrown));
                some.forEach(watched -> reports.dropped(watched.delivery()));
            }
        }

        /** Waits before the store is asked again. Returns false if the rest is given up. */
        private boolean pause(Duration time) {
            try {
                return !givenUp.await(time.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                return false;
            }
        }
    }
}

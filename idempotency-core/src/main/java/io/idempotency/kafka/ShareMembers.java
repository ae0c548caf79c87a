package io.idempotency.kafka;

import io.idempotency.FailureText;
import java.util.Map;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes the members of a share group that are in one process.
 *
 * <p>What a member releases when it is closed, the broker gives at once to a member that waits for records. Kafka's client waits for them in the background, also while
 * nobody polls. If that member is about to be closed, too, it releases the record again, and so on. Each of these deliveries counts, and the broker archives a record after its
 * last one, although nobody has handled it. So members that end together stop fetching first, all of them, and are closed when no fetch is under way.
 *
 * <p>Thread-safe. Use one object for all members of a group in a process, a {@link Member} and a thread for each.
 */
public final class ShareMembers {

    private static final Logger log = LoggerFactory.getLogger(ShareLoop.class);
    private static final int DEFAULT_FETCH_WAIT_MILLIS = 500;
    /** For the way to the broker and back. */
    private static final int MARGIN_MILLIS = 200;

    private static final int LONGEST_WAIT_MILLIS = 5_000;
    private static final int PATIENCE_SECONDS = 30;

    private final long quietMillis;
    private final Phaser fetching = new Phaser() {
        @Override
        protected boolean onAdvance(int phase, int members) {
            // Others may be added when all have gone.
            return false;
        }
    };

    /** @param properties those of the members, of which {@code fetch.max.wait.ms} counts */
    public ShareMembers(Map<String, ?> properties) {
        Object wait = properties.get(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG);
        long millis = wait == null
                ? DEFAULT_FETCH_WAIT_MILLIS
                : Long.parseLong(wait.toString().trim());
        this.quietMillis = Math.min(millis, LONGEST_WAIT_MILLIS) + MARGIN_MILLIS;
    }

    /** Returns a place for one member, which does not fetch yet. */
    public Member member() {
        return new Member();
    }

    /** The place of one member. Used on its thread. */
    public final class Member {

        private boolean isFetching;

        private Member() {}

        /** Notes that the member fetches from now on: before its first poll. */
        public void fetches() {
            if (!isFetching) {
                isFetching = true;
                fetching.register();
            }
        }

        /** Closes the member while the others go on: they get what it held. */
        public void closeAlone(Runnable closing) {
            try {
                closing.run();
            } finally {
                int unused = leave();
            }
        }

        /**
         * Closes the member together with all others, when those have stopped fetching, too. It waits for them at most half a minute, and not on if it is interrupted; the interrupt is
         * kept.
         *
         * @param closing closes the member
         */
        public void closeWithOthers(ShareConsumer<?, ?> member, Runnable closing) {
            boolean isInterrupted = Thread.interrupted();
            try {
                if (isFetching) {
                    stopFetching(member);
                    awaitOthers(leave());
                }
            } catch (InterruptedException interrupted) {
                isInterrupted = true;
            } finally {
                try {
                    closing.run();
                } finally {
                    if (isInterrupted) {
                        Thread.currentThread().interrupt();
                    }
                }
            }
        }

        /** Returns the phase in which others may still fetch. */
        private int leave() {
            if (!isFetching) {
                return fetching.getPhase();
            }
            isFetching = false;
            return fetching.arriveAndDeregister();
        }
    }

    /** What is acknowledged goes to the broker first: the others may take a while. */
    private static void stopFetching(ShareConsumer<?, ?> member) {
        try {
            member.commitAsync();
            member.unsubscribe();
        } catch (RuntimeException failed) {
            log.debug(
                    "A member of a share group could not stop fetching before it is closed: {}",
                    FailureText.line(failed));
        }
    }

    /** Waits until nobody fetches, and no fetch is under way. */
    private void awaitOthers(int phase) throws InterruptedException {
        try {
            int unused = fetching.awaitAdvanceInterruptibly(phase, PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException handling) {
            log.debug("Another member of this process still handles records; this one is closed before it.");
        }
        TimeUnit.MILLISECONDS.sleep(quietMillis);
    }
}

package io.idempotency.kafka;

import io.idempotency.Replayer;
import io.idempotency.replay.ReplayStore;
import org.jspecify.annotations.Nullable;

/** The replays of a poll loop, if it carries out any. Thread-safe. */
final class LoopReplays implements AutoCloseable {

    private @Nullable Replayer<?> replayer;
    private @Nullable ReplayRecords<?, ?> records;

    synchronized <K, V> void start(RecordProcessor<K, V> processor, ReplayStore replays, ReplayRecords<K, V> made) {
        records = made;
        replayer = processor.replay(replays, made);
    }

    synchronized void wake() {
        if (replayer != null) {
            replayer.wake();
        }
    }

    /** Waits for the record that is being handled. */
    @Override
    public void close() {
        Replayer<?> running;
        ReplayRecords<?, ?> used;
        synchronized (this) {
            running = replayer;
            used = records;
        }
        if (running != null) {
            running.close();
        }
        if (used != null) {
            used.close();
        }
    }
}

package io.idempotency.kafka;

import io.idempotency.Replayer;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The replays of a poll loop, if it carries out any. Thread-safe. */
final class LoopReplays implements AutoCloseable {

    private @Nullable Replayer<?> replayer;
    private @Nullable ReplayRecords<?, ?> records;
    private @Nullable RecordReread reread;

    /** Starts with a reader of its own, so that the loop never waits for one that a replay uses. */
    synchronized <K, V> void start(
            Map<String, Object> properties, Function<ReplayRecords<K, V>, Replayer<?>> starting) {
        RecordReread own = RecordReread.of(properties);
        reread = own;
        ReplayRecords<K, V> made = ReplayRecords.of(properties, own);
        records = made;
        replayer = starting.apply(made);
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
        RecordReread own;
        synchronized (this) {
            running = replayer;
            used = records;
            own = reread;
        }
        if (running != null) {
            running.close();
        }
        if (used != null) {
            used.close();
        }
        if (own != null) {
            own.close();
        }
    }
}

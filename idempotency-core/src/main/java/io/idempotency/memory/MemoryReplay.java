package io.idempotency.memory;

import io.idempotency.replay.Replay;
import io.idempotency.replay.Replay.Progress;
import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayResult;
import io.idempotency.store.QuarantineFailure;
import java.time.Instant;
import java.util.Optional;

/**
 * A replay, and the row of failures in which it is.
 *
 * @param failures how many equal failures there were in a row
 * @param group the group of these failures
 */
record MemoryReplay(Replay replay, int failures, String group) {

    MemoryReplay moved(Status from, Status to) {
        return replay.status() == from ? with(replay.progress(), to, replay.endedAt(), replay.stoppedBy()) : this;
    }

    MemoryReplay ended(Status status, Instant now, Optional<String> why) {
        return replay.status().hasEnded() ? this : with(replay.progress(), status, Optional.of(now), why);
    }

    MemoryReplay counted(ReplayResult result, Optional<QuarantineFailure> failure, Instant now) {
        Progress before = replay.progress();
        Progress after = new Progress(
                before.total(),
                before.processed() + (result == ReplayResult.PROCESSED ? 1 : 0),
                before.duplicates() + (result == ReplayResult.DUPLICATE ? 1 : 0),
                before.failed() + (result == ReplayResult.FAILED ? 1 : 0),
                before.unreadable() + (result == ReplayResult.UNREADABLE ? 1 : 0));
        Replay counted = with(after, replay.status(), replay.endedAt(), replay.stoppedBy()).replay;
        if (result == ReplayResult.PROCESSED) {
            return new MemoryReplay(counted, 0, "");
        } else if (failure.isEmpty()) {
            return new MemoryReplay(counted, failures, group);
        }
        String nextGroup = failure.get().group();
        MemoryReplay failed = new MemoryReplay(counted, nextGroup.equals(group) ? failures + 1 : 1, nextGroup);
        return failed.failures < replay.request().stopAfter()
                ? failed
                : failed.ended(Status.STOPPED, now, Optional.of(stopped(failed.failures, failure.get())));
    }

    private static String stopped(int failures, QuarantineFailure failure) {
        return failures + " equal failures in a row: " + failure.type() + ", group " + failure.group()
                + ". Remove their cause, and request a replay of the messages that are left";
    }

    private MemoryReplay with(Progress progress, Status status, Optional<Instant> ended, Optional<String> why) {
        return new MemoryReplay(
                new Replay(replay.request(), replay.selection(), status, progress, replay.requestedAt(), ended, why),
                failures,
                group);
    }
}

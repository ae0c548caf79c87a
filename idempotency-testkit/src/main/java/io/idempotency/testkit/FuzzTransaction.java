package io.idempotency.testkit;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One transaction of the fuzz: its answers, and how it ended. Written by one thread, read after all threads have ended. */
final class FuzzTransaction {

    private final Map<MessageId, Position> granted = new HashMap<>();
    private final List<Told> told = new ArrayList<>();
    private long ending = Long.MAX_VALUE;
    private boolean committed;

    /** An answer that granted nothing, with its time in ticks. */
    record Told(Claim claim, boolean own, long tick) {}

    void told(List<Delivery> asked, List<Claim> answers, long tick) {
        if (!answers.stream().map(Claim::delivery).toList().equals(asked)) {
            throw new AssertionError("Asked for " + asked + ", but the answers are " + answers);
        }
        for (Claim claim : answers) {
            MessageId id = claim.delivery().id();
            if (!claim.isGranted()) {
                told.add(new Told(claim, granted.containsKey(id), tick));
            } else if (granted.put(id, claim.delivery().position()) != null) {
                throw new AssertionError("One transaction was granted " + id + " twice");
            }
        }
    }

    void ending(long tick) {
        ending = tick;
    }

    void committed() {
        committed = true;
    }

    boolean isCommitted() {
        return committed;
    }

    /** Returns whether the transaction was ending by then, and so could have committed. */
    boolean hadEndedBy(long tick) {
        return ending < tick;
    }

    Map<MessageId, Position> granted() {
        return granted;
    }

    @Nullable
    Position positionOf(MessageId id) {
        return granted.get(id);
    }

    List<Told> told() {
        return told;
    }
}

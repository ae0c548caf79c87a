package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a schedule is about.
 *
 * @param isReplaying whether processes replay beside those that consume
 * @param broken the fault that is built in, if any
 */
record Scene(
        ConsistencyLevel level,
        boolean isReplaying,
        @Nullable Broken broken) {

    /** Returns all scenes without a fault built in. */
    static List<Scene> all() {
        return List.of(
                new Scene(ConsistencyLevel.STRONG, false, null),
                new Scene(ConsistencyLevel.AT_LEAST_ONCE, false, null),
                new Scene(ConsistencyLevel.AT_MOST_ONCE, false, null),
                new Scene(ConsistencyLevel.STRONG, true, null),
                new Scene(ConsistencyLevel.AT_LEAST_ONCE, true, null));
    }

    /** Returns the one that the fault hurts. */
    static Scene of(Broken broken) {
        return new Scene(broken.level, broken.isOfReplays, broken);
    }

    @Override
    public String toString() {
        return level + (isReplaying ? " with replays" : "");
    }
}

package io.idempotency.outage;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** Awaits a condition, long enough for a busy machine. */
final class Eventually {

    static final Duration AT_MOST = Duration.ofSeconds(90);

    private Eventually() {}

    static ConditionFactory eventually() {
        return Awaitility.await().atMost(AT_MOST).pollInterval(Duration.ofMillis(50));
    }
}

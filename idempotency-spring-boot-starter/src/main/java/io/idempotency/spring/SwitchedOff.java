package io.idempotency.spring;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;

/** Warns about the guarantees that switched-off listeners lose, also if the application creates its beans lazily. */
final class SwitchedOff implements SmartInitializingSingleton {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private static final String HANDLED = "The error handler decides on it, and by default logs and skips it.";
    private static final String REJECTED =
            "On a share group it is rejected at its first failure, unless its container has a recoverer.";

    @Override
    public void afterSingletonsInstantiated() {
        warn("idempotency.enabled=false: every @Idempotent listener", HANDLED + " " + REJECTED);
    }

    static void warn(String who) {
        warn(who, HANDLED);
    }

    /** Warns of a listener of a share group, whose container has no error handler. */
    static void warnShared(String who) {
        warn(who, REJECTED);
    }

    private static void warn(String who, String failing) {
        log.warn(
                "{} runs as with spring-kafka alone. A message that is delivered twice is processed twice, without the"
                        + " transaction of a claim. A record that keeps failing does not go to quarantine. {} Messages that are"
                        + " processed now are not remembered, and are processed again if they are redelivered later.",
                who,
                failing);
    }
}

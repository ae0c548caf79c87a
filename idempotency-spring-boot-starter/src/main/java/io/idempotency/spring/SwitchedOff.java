package io.idempotency.spring;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;

/** Warns about the guarantees that switched-off listeners lose, also if the application creates its beans lazily. */
final class SwitchedOff implements SmartInitializingSingleton {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    @Override
    public void afterSingletonsInstantiated() {
        warn("idempotency.enabled=false: every @Idempotent listener");
    }

    static void warn(String who) {
        log.warn(
                "{} runs as with spring-kafka alone. A message that is delivered twice is processed twice, without the"
                        + " transaction of a claim. A record that keeps failing does not go to quarantine: the error handler decides,"
                        + " and by default logs and skips it. Messages that are processed now are not remembered, and are processed"
                        + " again if they are redelivered later.",
                who);
    }
}

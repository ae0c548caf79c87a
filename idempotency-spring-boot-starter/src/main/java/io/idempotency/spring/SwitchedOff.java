package io.idempotency.spring;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;

/** Says what no longer holds where listeners are switched off, in an application that starts lazily, too. */
final class SwitchedOff implements SmartInitializingSingleton {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    @Override
    public void afterSingletonsInstantiated() {
        warn("idempotency.enabled=false: every @Idempotent listener");
    }

    static void warn(String who) {
        log.warn(
                "{} runs as with spring-kafka alone: what is delivered twice is processed twice, without the transaction of a claim;"
                        + " what fails for good is not put into quarantine but is up to the error handler, by default logged and"
                        + " skipped; and what is processed now is not remembered: it is processed again if it comes again later.",
                who);
    }
}

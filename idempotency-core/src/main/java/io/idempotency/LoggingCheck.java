package io.idempotency;

import io.idempotency.store.IdempotencyException;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLoggerFactory;

/**
 * Refuses to run without logging, because nobody would notice a stand-still. kafka-clients brings slf4j-api 1.7; a build that takes it does not
 * find the logging providers for slf4j-api 2.
 */
final class LoggingCheck {

    private static final String ONLY_IN_VERSION_2 = "org.slf4j.spi.SLF4JServiceProvider";

    private LoggingCheck() {}

    static void requireHeard() {
        requireHeard(LoggerFactory.getILoggerFactory(), isVersion2());
    }

    static void requireHeard(ILoggerFactory loggers, boolean isVersion2) {
        if (!isVersion2 && loggers instanceof NOPLoggerFactory) {
            throw new IdempotencyException(
                    "Nothing is logged: slf4j-api on the class path is older than 2, as kafka-clients brings it,"
                            + " and finds no logging provider. Declare org.slf4j:slf4j-api 2.0 or later in your own build, or name the idempotency"
                            + " artifact before kafka-clients");
        }
    }

    private static boolean isVersion2() {
        try {
            Class.forName(ONLY_IN_VERSION_2, false, LoggerFactory.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}

package io.idempotency.jdbc;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loggers that several classes share, each with the name of the public class that users know. By name, so that what logs does not depend on the class
 * that stands on it.
 */
final class Loggers {

    static final Logger TABLE_STORE = LoggerFactory.getLogger("io.idempotency.jdbc.TableStore");
    static final Logger JOURNAL_STORE = LoggerFactory.getLogger("io.idempotency.jdbc.JournalStore");
    static final Logger PURGER = LoggerFactory.getLogger("io.idempotency.jdbc.Purger");

    private Loggers() {}
}

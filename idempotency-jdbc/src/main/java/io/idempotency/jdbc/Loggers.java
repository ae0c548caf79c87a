package io.idempotency.jdbc;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loggers that several classes share, each named after the public class that users know. The name is a text, so that a class that logs does not
 * depend on the public one.
 */
final class Loggers {

    static final Logger TABLE_STORE = LoggerFactory.getLogger("io.idempotency.jdbc.TableStore");
    static final Logger JOURNAL_STORE = LoggerFactory.getLogger("io.idempotency.jdbc.JournalStore");
    static final Logger ADOPTION = LoggerFactory.getLogger("io.idempotency.jdbc.Adoption");
    static final Logger PURGER = LoggerFactory.getLogger("io.idempotency.jdbc.Purger");

    private Loggers() {}
}

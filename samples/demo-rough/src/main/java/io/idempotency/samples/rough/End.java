package io.idempotency.samples.rough;

/** How a handler ends, after both halves of its effect. */
enum End {
    RETURNS,
    /** Throws the first time that this process handles the message. */
    FAILS_ONCE,
    /** Throws each time. */
    FAILS,
    /** Throws each time, an exception whose {@code getMessage} throws, too. */
    FAILS_NAMELESS;

    boolean isPoison() {
        return this == FAILS || this == FAILS_NAMELESS;
    }
}

package io.idempotency.samples.rough;

/** A mistake that a handler makes between the two halves of its effect. */
enum Deed {
    /** Commits the library's transaction, in one of the ways of {@link EarlyCommits}. */
    COMMITS,
    /** Commits early, and then its process is killed, once. */
    DIES,
    /** Calls a service with {@code NESTED}. */
    NESTS,
    /** Calls a service with {@code NESTED} that fails, and goes on. */
    NESTS_IN_VAIN,
    /** Calls a service with {@code REQUIRES_NEW}. */
    STEPS_ASIDE,
    /** Calls a service with {@code REQUIRES_NEW} that fails, and goes on. */
    STEPS_ASIDE_IN_VAIN,
    /** Inserts an existing key, and goes on. After that PostgreSQL accepts no statement of the transaction. */
    SWALLOWS_DUPLICATE_KEY,
    /** Publishes an event. Its listener consumes after the commit, and is refused. */
    CONSUMES_AFTER_COMMIT,
    /** Publishes an event. Its listener consumes after the commit, in a transaction of its own. */
    CONSUMES_AFTER_COMMIT_ASIDE,
    /** Waits for a worker that is interrupted: once in the life of a process. */
    HAS_INTERRUPTED_WORKER,
    /** Updates a row that may be locked. */
    WAITS_FOR_LOCK,
    /** Updates a row that may be locked, and goes on if that fails. */
    SWALLOWS_LOCK_TIMEOUT
}

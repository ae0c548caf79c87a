package io.idempotency.samples.rough;

/** What a handler does, between the two halves of its effect, that it had better not. */
enum Deed {
    /** Commits the transaction that is not its own, in one of the ways of {@link EarlyCommits}. */
    COMMITS,
    /** Does so, and then its process is killed: once. */
    DIES,
    /** Calls a service with {@code NESTED}. */
    NESTS,
    /** Calls one that fails, and goes on. */
    NESTS_IN_VAIN,
    /** Calls a service with {@code REQUIRES_NEW}. */
    STEPS_ASIDE,
    /** Calls one that fails, and goes on. */
    STEPS_ASIDE_IN_VAIN,
    /** Inserts what is there already, and goes on. PostgreSQL takes no statement of the transaction after that. */
    SWALLOWS_DUPLICATE_KEY,
    /** Publishes an event, whose listener consumes after the commit, and is refused. */
    CONSUMES_AFTER_COMMIT,
    /** Publishes an event, whose listener consumes after the commit, in a transaction of its own. */
    CONSUMES_AFTER_COMMIT_ASIDE,
    /** Waits for a worker that is interrupted: once in the life of a process. */
    HAS_INTERRUPTED_WORKER,
    /** Updates a row that may be locked. */
    WAITS_FOR_LOCK,
    /** Updates a row that may be locked, and goes on if that fails. */
    SWALLOWS_LOCK_TIMEOUT
}

package io.idempotency.crash;

/** Where a node halts while it replays a message, in the order in which the message passes these points. */
enum ReplayPoint {
    AFTER_TAKE("after its entry is taken"),
    AFTER_UNQUARANTINE("after its id is new again"),
    AFTER_CLAIM("after the claim"),
    IN_HANDLER("in the handler, before its effect"),
    AFTER_EFFECT("in the handler, after its effect"),
    AFTER_DELETE("after its entry is deleted"),
    BEFORE_COMMIT("after the count, before the commit"),
    AFTER_COMMIT("after the commit, before anybody sees it"),
    /** The handler throws in the first life, after its effect. */
    SAVING_FAILURE("while a new failure is saved");

    private final String title;

    ReplayPoint(String title) {
        this.title = title;
    }

    /** How the documentation names it. */
    String title() {
        return title;
    }
}

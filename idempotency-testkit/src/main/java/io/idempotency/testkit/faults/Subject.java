package io.idempotency.testkit.faults;

/** What gets the messages of a scenario: a listener, or code that is called. */
interface Subject {

    /** Returns the messages, by their ids and, if they have them, their positions. */
    String messages();

    /** Returns how many messages there are. */
    int count();

    /** Returns whether the handler is called through the kit, so that it knows when it begins and ends. */
    boolean hasHandler();

    /**
     * Delivers the messages until they are settled, whatever happens meanwhile.
     *
     * @throws NotSettledException if they are not settled after a while
     */
    void deliver();

    /**
     * Delivers the messages twice more, at the same offset and as copies at new ones, until these are settled.
     *
     * @throws NotSettledException if they are not settled after a while
     */
    void deliverAgain();

    /** Thrown if messages are not settled in time. */
    final class NotSettledException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final String how;

        NotSettledException(String how) {
            super(how);
            this.how = how;
        }

        /** Returns the predicate of a sentence about the message. */
        String how() {
            return how;
        }
    }
}

package io.idempotency.jdbc;

/**
 * The column {@code state} of a message: 31 bits of an integer, ordered so that plain comparisons select a status:
 *
 * <pre>
 *   30..29 status    28..16 attempt      15..8 starts        7..0 seal
 *          0 leased         up to 8191,        up to 255,          of a settled lease: a hash of
 *          1 released       then it            then it             what was left of it, which
 *          2 processed      stays there        stays there         tells its owner from others;
 *          3 quarantined                                           1 of a claim that is not proved
 * </pre>
 *
 * <p>If somebody ended a transaction early, its claims were committed without a proof. Such a claim is <em>leased</em> with the seal
 * {@value #UNPROVED}, and free after {@link MessageRow#UNPROVED_MICROS}. On PostgreSQL, rows are inserted as <em>processed</em>. One row of each claim
 * has that seal, and a trigger at this row makes all of them leased if the transaction commits without the proof.
 *
 * <p>A dropped message is <em>processed</em> with the seal {@value #DROPPED}, one that had expired with {@value #EXPIRED}. So every statement takes them as
 * settled.
 */
record MessageState(Status status, int attempt, int starts, int seal) {

    /** The status of a message, with its stored number. */
    enum Status {
        LEASED(0),
        RELEASED(1),
        PROCESSED(2),
        QUARANTINED(3);

        private final int number;

        Status(int number) {
            this.number = number;
        }

        static Status of(int number) {
            return switch (number) {
                case 0 -> LEASED;
                case 1 -> RELEASED;
                case 2 -> PROCESSED;
                default -> QUARANTINED;
            };
        }
    }

    /** The lowest state of a released or settled message. */
    static final int FIRST_RELEASED = Status.RELEASED.number << 29;

    /** The lowest state of a settled message. */
    static final int FIRST_SETTLED = Status.PROCESSED.number << 29;

    /** The lowest state of a quarantined message. */
    static final int FIRST_QUARANTINED = Status.QUARANTINED.number << 29;

    /** The seal of a claim that is not proved; no lease has it. */
    static final int UNPROVED = 1;

    /** The seal of a message that was deleted from quarantine; no lease has it. */
    static final int DROPPED = 2;

    /** The seal of a message that had expired before it was handled; no lease has it. */
    static final int EXPIRED = 3;

    private static final int MAX_ATTEMPT = 0x1FFF;
    private static final int MAX_STARTS = 0xFF;

    MessageState {
        attempt = Math.min(attempt, MAX_ATTEMPT);
        starts = Math.min(starts, MAX_STARTS);
    }

    static MessageState of(int packed) {
        return new MessageState(
                Status.of(packed >>> 29 & 3), packed >>> 16 & MAX_ATTEMPT, packed >>> 8 & MAX_STARTS, packed & 0xFF);
    }

    static MessageState leased(int attempt, int starts) {
        return new MessageState(Status.LEASED, attempt, starts, 0);
    }

    /** Returns the state of a message whose claim is not proved yet. */
    static MessageState unproved(int attempt, int starts) {
        return new MessageState(Status.LEASED, attempt, starts, UNPROVED);
    }

    static MessageState processed(int attempt, int starts) {
        return new MessageState(Status.PROCESSED, attempt, starts, 0);
    }

    /** Returns this state, sealed with the microseconds that were left of its lease. */
    MessageState sealed(long leftMicros) {
        return new MessageState(status, attempt, starts, sealOf(leftMicros));
    }

    boolean isSealedBy(long leftMicros) {
        return seal == sealOf(leftMicros);
    }

    /** Returns the state of a message that was deleted from quarantine, with the same counts. */
    MessageState dropped() {
        return new MessageState(Status.PROCESSED, attempt, starts, DROPPED);
    }

    boolean isDropped() {
        return status == Status.PROCESSED && seal == DROPPED;
    }

    /** Returns the state of a message that had expired, with the same counts. */
    MessageState expired() {
        return new MessageState(Status.PROCESSED, attempt, starts, EXPIRED);
    }

    boolean isExpired() {
        return status == Status.PROCESSED && seal == EXPIRED;
    }

    boolean isUnproved() {
        return status == Status.LEASED && seal == UNPROVED;
    }

    boolean isSettled() {
        return status == Status.PROCESSED || status == Status.QUARANTINED;
    }

    int packed() {
        return status.number << 29 | attempt << 16 | starts << 8 | seal;
    }

    private static int sealOf(long micros) {
        int seal = (int) (micros ^ micros >>> 8 ^ micros >>> 16) & 0xFF;
        return seal >= UNPROVED && seal <= EXPIRED ? 0 : seal;
    }
}

package io.idempotency.keyorder;

/** A rule that is left out, and what goes wrong without it. */
enum Variant {
    /** The keys are read before the offset from which the messages are read. */
    KEYS_READ_BEFORE_THE_OFFSET(Fault.ORDER),
    /** A partition that comes back is not read again, although others have settled messages of it meanwhile. */
    OLD_KEYS_TRUSTED(Fault.ORDER),
    /** A query that sees an old snapshot decides, although a claim of the transaction was answered with quarantined. */
    SNAPSHOT_BELIEVED(Fault.ORDER),
    /** Messages behind others do not block their key. */
    FOLLOWERS_IGNORED(Fault.ORDER),
    /** A message is replayed although an earlier one is in quarantine. */
    REPLAYED_OUT_OF_ORDER(Fault.ORDER),
    /** A key that was blocked once counts as blocked, without a query. */
    NO_VERIFICATION(Fault.NEEDLESS),
    /** Messages behind others are handled only if the others are. */
    FOLLOWERS_WAIT_FOR_A_REQUEST(Fault.STRANDED);

    final Fault fault;

    Variant(Fault fault) {
        this.fault = fault;
    }

    /** What can go wrong. */
    enum Fault {
        NONE,
        /** An effect came before that of an earlier message. */
        ORDER,
        /** An effect came twice. */
        DOUBLE,
        /** A message was held back although no earlier one is in quarantine. */
        NEEDLESS,
        /** There is a state from which some message can never be settled. */
        STRANDED
    }
}

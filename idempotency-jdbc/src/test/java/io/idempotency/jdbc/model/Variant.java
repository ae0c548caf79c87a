package io.idempotency.jdbc.model;

/** A fault in the protocol, the world that reveals it, and its first symptom there. */
enum Variant {
    /** After a commit the window's version is counted up, wherever the window stands by then. */
    STEPS_THE_WINDOW_BLINDLY(World.ONE_STORE, Fault.DOUBLED),
    /** The shared window is stepped at the append already, and a rollback does not undo it. */
    STEPS_THE_WINDOW_BEFORE_THE_COMMIT(World.ONE_STORE, Fault.LOST),
    /** A commit of unknown outcome steps the window, and the window is kept. */
    KEEPS_THE_WINDOW_OF_AN_UNKNOWN_COMMIT(World.OWN_STORES, Fault.LOST),
    /** A second claim finds the head ahead of the window, and catches up with the appends of its own transaction. */
    READS_ITS_OWN_SEGMENTS_AS_FOREIGN(World.OWN_STORES, Fault.LOST),
    /** A second claim is decided by the window that is there, wherever it stands. */
    CLAIMS_MORE_BY_ANY_WINDOW(World.ONE_STORE, Fault.DOUBLED),
    /** Catch-up is a plain read, believed to reach up to the locked head. */
    CATCHES_UP_BY_SNAPSHOT(World.SNAPSHOTS, Fault.DOUBLED),
    /** Catch-up is a plain read, repeated until it reaches up to the locked head. */
    CATCHES_UP_BY_SNAPSHOT_IN_A_LOOP(World.SNAPSHOTS, Fault.STUCK),
    /** Heads are locked in the order in which the poll happens to name the partitions. Nobody dissolves a deadlock here. */
    LOCKS_IN_THE_ORDER_OF_THE_POLL(World.TWO_PARTITIONS, Fault.STUCK),
    /** The window drops entries that are old by the clock, although the horizon has not moved. */
    DROPS_WHAT_THE_HORIZON_KEEPS(World.AGEING, Fault.DOUBLED),
    /** The purge measures age against the clock instead of the partition's newest entry. */
    PURGES_WHILE_THE_PARTITION_IS_IDLE(World.AGEING, Fault.DOUBLED),
    /** The horizon moves only to the end of the purged segments, below offsets that left no entry. */
    MOVES_THE_HORIZON_TOO_LITTLE(World.AGEING, Fault.REORDERED),
    /** Messages below the horizon are handled if the window does not know them. */
    HANDLES_WHAT_IS_BELOW_THE_HORIZON(World.AGEING, Fault.DOUBLED),
    /** Catch-up takes the segments that are there for all that were appended. */
    ACCEPTS_A_GAP(World.AGEING, Fault.DOUBLED),
    /** Loading does not notice that a purge came between the head and the segments. */
    LOADS_ACROSS_A_PURGE(World.AGEING, Fault.DOUBLED),
    /** Loading reads the segments first and then the head. */
    LOADS_THE_HEAD_LAST(World.OWN_STORES, Fault.DOUBLED),
    /** There is a counter and no token. */
    DRAWS_NO_TOKEN(World.FAILOVER, Fault.DOUBLED),
    /** The head has a token, but catching up does not compare the token of the previous segment. */
    COMPARES_ONLY_THE_HEAD(World.FAILED_OVER, Fault.DOUBLED),
    /** Catch-up takes a head below the window for one that has nothing new. */
    OVERLOOKS_A_LOWER_HEAD(World.FAILOVER, Fault.LOST),
    /** Duplicates are answered from memory, although the database may have lost them. */
    ANSWERS_WITHOUT_ASKING(World.FAILOVER, Fault.LOST),
    /** A message is forgotten in place, and the head stays where it is. */
    FORGETS_WITHOUT_A_VERSION(World.FORGETTING, Fault.LOST),
    /** What the filter of an archive may know counts as known. */
    LETS_THE_FILTER_DECIDE(World.ARCHIVES, Fault.LOST),
    /** An archive that is not there any more counts as one that does not know the message. */
    ASKS_DEAD_ARCHIVES(World.ARCHIVES, Fault.DOUBLED),
    /** A window drops the segments that are archived before it knows the archive. */
    DROPS_WHAT_IT_DOES_NOT_KNOW_ARCHIVED(World.ARCHIVES, Fault.DOUBLED),
    /** The sources of an archive are deleted before it is active. */
    DELETES_BEFORE_THE_ARCHIVE_IS_ACTIVE(World.SLOW_MERGES, Fault.DOUBLED),
    /** Catch-up takes the first segment that is not archived for the next one, wherever the window ends. */
    CATCHES_UP_FROM_THE_ARCHIVES_ON(World.ARCHIVES, Fault.DOUBLED),
    /** Loading does not notice that segments were merged between the head and the segments. */
    LOADS_ACROSS_A_MERGE(World.ARCHIVES, Fault.DOUBLED),
    /** Two build at a time, and what was built becomes active whatever happened meanwhile. */
    BUILDS_WHILE_ANOTHER_DOES(World.SLOW_MERGES, Fault.STUCK),
    /** A list of archives is taken over by whatever window is there by then. */
    TAKES_OVER_AN_OLDER_LIST(World.SLOW_LISTS, Fault.DOUBLED),
    /** An archive that the transaction's snapshot does not show yet counts as one that is not there any more. */
    TAKES_AN_UNSEEN_ARCHIVE_FOR_A_DEAD_ONE(World.ARCHIVES_IN_SNAPSHOTS, Fault.DOUBLED),
    /** Loading reads the head, and then the list of archives. */
    LISTS_ARCHIVES_AFTER_THE_HEAD(World.AGEING_ARCHIVES, Fault.DOUBLED),
    /** An archive is purged when its oldest entry is old. */
    PURGES_AN_ARCHIVE_BY_ITS_OLDEST_ENTRY(World.AGEING_ARCHIVES, Fault.DOUBLED),
    /** The number of an archive is one more than the greatest one. */
    NUMBERS_ARCHIVES_IN_A_ROW(World.ARCHIVES_AND_FAILOVER, Fault.DOUBLED),
    /** Merging keeps the oldest entry of a message. */
    KEEPS_THE_OLDEST_ENTRY(World.FORGETTING_ARCHIVES, Fault.LOST),
    /** Merging drops the entry of a message that was forgotten, although an older archive has the message. */
    MERGES_AWAY_WHAT_IS_FORGOTTEN(World.FORGETTING_ARCHIVES, Fault.LOST),
    /** The oldest archive that may know a message is asked first. */
    ASKS_THE_OLDEST_FIRST(World.FORGETTING_ARCHIVES, Fault.LOST);

    private final World world;
    private final Fault fault;

    Variant(World world, Fault fault) {
        this.world = world;
        this.fault = fault;
    }

    World world() {
        return world;
    }

    Fault fault() {
        return fault;
    }
}

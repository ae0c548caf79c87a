package io.idempotency.jdbc.model;

import java.util.List;
import java.util.Set;

/**
 * The messages of a search, and the possible faults. Two members of a consumer group work in almost every world; crashes, lost
 * assignments, failing handlers and commits of unknown outcome are part of all of them and happen any number of times.
 *
 * <p>Most worlds have no {@link Trait#TOKENS}, and their members do not {@link Trait#ASK_ALWAYS}: not because the store could
 * do without, but because both mend so much that other rules would have nothing left to prove.
 */
@SuppressWarnings("ImmutableEnumChecker") // what List.of and Set.of return is immutable
enum World {
    ONE_STORE(List.of("aba"), Trait.ONE_STORE),
    OWN_STORES(List.of("abac")),
    SNAPSHOTS(List.of("ab"), Trait.SNAPSHOTS),
    TWO_PARTITIONS(List.of("aba", "cc")),
    AGEING(List.of("aab"), Trait.AGEING),
    FAILOVER(List.of("ab"), Trait.FAILOVER, Trait.TOKENS, Trait.ASK_ALWAYS),
    FAILED_OVER(List.of("abc"), Trait.FAILED_OVER, Trait.TOKENS, Trait.ASK_ALWAYS),
    FORGETTING(List.of("aa"), Trait.FORGETTING, Trait.ASK_ALWAYS),
    ARCHIVES(List.of("ab"), Trait.ARCHIVING),
    SLOW_MERGES(List.of("aba"), Trait.ARCHIVING, Trait.SLOW_MERGE, Trait.ALONE),
    SLOW_LISTS(List.of("aba"), Trait.ARCHIVING, Trait.SLOW_LIST, Trait.ALONE),
    ARCHIVES_IN_SNAPSHOTS(List.of("ab"), Trait.ARCHIVING, Trait.BEGUN, Trait.ONE_STORE, Trait.SNAPSHOTS),
    AGEING_ARCHIVES(List.of("baa"), Trait.ARCHIVING, Trait.BEGUN, Trait.ONE_STORE, Trait.AGEING),
    ARCHIVES_AND_FAILOVER(List.of("ab"), Trait.ARCHIVING, Trait.ALONE, Trait.FAILOVER, Trait.TOKENS, Trait.ASK_ALWAYS),
    FORGETTING_ARCHIVES(
            List.of("aa"), Trait.ARCHIVING, Trait.ALONE, Trait.ONE_STORE, Trait.FORGETTING, Trait.ASK_ALWAYS);

    /** The differences of a world from the plain one. */
    enum Trait {
        /** Both members are threads of one process and share its windows; otherwise each has its own process. */
        ONE_STORE,
        /** A plain read shows the state at the beginning of the transaction, as at MariaDB's REPEATABLE READ. */
        SNAPSHOTS,
        /** Days pass, and entries a day older than the newest one are purged. */
        AGEING,
        /** The database fails over once, at any time, to a replica that lacks the last commit. */
        FAILOVER,
        /** The database has failed over before, and one window has not noticed. */
        FAILED_OVER,
        /** An operator lets one message be forgotten. */
        FORGETTING,
        /** Segments are merged into archives, and archives into larger ones. */
        ARCHIVING,
        /** All messages but the last were processed before, one on each day, but their offsets are not committed. */
        BEGUN,
        /** Anything can happen between the steps of a merge. */
        SLOW_MERGE,
        /** Anything can happen after a list of archives is read and before it is taken over. */
        SLOW_LIST,
        /** Only one member gets partitions. It can lose them and get them back at any time. */
        ALONE,
        /** Every append draws a random token. */
        TOKENS,
        /** Members compare the heads even if they know all messages of a poll as duplicates. */
        ASK_ALWAYS
    }

    static final int MEMBERS = 2;

    private final List<String> logs;
    private final Set<Trait> traits;

    World(List<String> logs, Trait... traits) {
        this.logs = logs;
        this.traits = Set.of(traits);
    }

    boolean has(Trait trait) {
        return traits.contains(trait);
    }

    int partitions() {
        return logs.size();
    }

    /** The messages of a partition by their offsets: in {@code aba} a copy of the first one is at offset 2. */
    String log(int partition) {
        return logs.get(partition);
    }

    int stores() {
        return has(Trait.ONE_STORE) ? 1 : MEMBERS;
    }
}

package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Member.Phase;
import io.idempotency.jdbc.model.Member.Share;
import io.idempotency.jdbc.model.Search.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The steps of a member of the group. Every step is atomic; anything can happen between two steps.
 *
 * <ol>
 *   <li>Load the windows outside of a transaction: the heads with the lists of archives, then the segments up to them.
 *   <li>Decide in memory which messages are new. What the filters of the archives may know is asked.
 *   <li>Lock the heads in the order of the partitions. If all stand where the windows stood: append.
 *   <li>Otherwise append nothing, keep the locks, catch up, decide again, append.
 *   <li>Handle, perhaps claim more in the same transaction, and commit.
 *   <li>Step each window, if it still stands where the transaction began.
 *   <li>Commit the offsets, now or after some more transactions.
 * </ol>
 */
final class Protocol {

    private static final int MOST_AT_ONCE = 2;
    private static final int NONE = -1;

    private final World world;
    private final Set<Variant> variants;
    private final Windows windows;
    private final Claims claims;

    Protocol(World world, Set<Variant> variants) {
        this.world = world;
        this.variants = variants;
        this.windows = new Windows(variants);
        this.claims = new Claims(world, variants);
    }

    List<Step> steps(State state, int member) {
        return switch (state.member(member).phase()) {
            case STANDBY, REFUSED -> List.of();
            case IDLE -> idle(state, member);
            case LOADING -> List.of(Step.of(member, "reads the segments", loaded(state, member)));
            case ASKING -> List.of(Step.of(member, "asks the archives", claims.ask(state, member)));
            case LOCKING -> lock(state, member);
            case BEHIND -> List.of(Step.of(member, "catches up", catchUp(state, member)));
            case HANDLING -> handle(state, member);
            case COMMITTED -> List.of(Step.of(member, "steps its window", stepped(state, member)));
        };
    }

    private List<Step> idle(State state, int member) {
        List<Step> steps = new ArrayList<>();
        if (!state.positions(member).equals(state.kafka().committed())) {
            steps.add(Step.of(member, "commits its offsets", commitOffsets(state, member)));
        }
        if (!Windows.areLoaded(state, member)) {
            steps.add(Step.of(member, "reads the heads", readHeads(state, member)));
            return steps;
        }
        for (int count = 1; count <= mostToClaim(state, member); count++) {
            steps.add(Step.of(member, "decides on " + count, claims.begin(state, member, count)));
        }
        return steps;
    }

    /** Tells a member that it is no longer the owner. */
    private State commitOffsets(State state, int member) {
        return state.kafka().owner() == member
                ? state.withKafka(member, state.positions(member))
                : state.withMember(member, Member.standby(world.partitions()));
    }

    private State readHeads(State state, int member) {
        State next = state.in(Phase.LOADING, member);
        for (int p = 0; p < world.partitions(); p++) {
            Journal.View view = state.journal(p).view();
            Window listed = new Window(view.head(), List.of(), view.archives());
            next = next.withShare(member, p, state.share(member, p).asking(listed));
        }
        return next;
    }

    private State loaded(State state, int member) {
        return windows.load(state, member).rolledBack(member);
    }

    /** Waits while another member holds the head; waiting is no step. */
    private List<Step> lock(State state, int member) {
        int partition = nextToLock(state, member);
        if (!state.journal(partition).isFree()) {
            return List.of();
        }
        State next = state.withJournal(partition, state.journal(partition).heldBy(member));
        if (nextToLock(next, member) != NONE) {
            return List.of(Step.of(member, "locks a head", next));
        }
        return areHeadsAtBase(next, member)
                ? List.of(Step.of(member, "locks the last head and appends", append(next, member)))
                : List.of(Step.of(member, "locks the last head and is behind", next.in(Phase.BEHIND, member)));
    }

    private int nextToLock(State state, int member) {
        boolean isBackwards = variants.contains(Variant.LOCKS_IN_THE_ORDER_OF_THE_POLL) && member == 1;
        for (int i = 0; i < world.partitions(); i++) {
            int p = isBackwards ? world.partitions() - 1 - i : i;
            if (isClaimed(state.share(member, p)) && state.journal(p).holder() != member) {
                return p;
            }
        }
        return NONE;
    }

    private boolean areHeadsAtBase(State state, int member) {
        for (int p = 0; p < world.partitions(); p++) {
            Share share = state.share(member, p);
            if (isClaimed(share) && !state.journal(p).head().isAt(share.base())) {
                return false;
            }
        }
        return true;
    }

    private static boolean isClaimed(Share share) {
        return share.to() > share.position();
    }

    /** Does not go on with windows that had to be dropped: they are loaded again outside of the transaction. */
    private State catchUp(State state, int member) {
        State next = windows.catchUp(state, member);
        if (!Windows.areLoaded(next, member)) {
            return next.rolledBack(member);
        }
        next = claims.decide(next, member);
        if (!next.member(member).isIn(Phase.BEHIND)) {
            return next;
        }
        return areHeadsAtBase(next, member) ? append(next, member) : state;
    }

    private State append(State state, int member) {
        State next = claims.append(state, member);
        return variants.contains(Variant.STEPS_THE_WINDOW_BEFORE_THE_COMMIT) ? windows.step(next, member) : next;
    }

    private List<Step> handle(State state, int member) {
        List<Step> steps = new ArrayList<>();
        State committed = committed(state, member);
        steps.add(Step.of(member, "commits", committed.in(Phase.COMMITTED, member)));
        steps.add(Step.mishap(member, "fails", state.rolledBack(member)));
        steps.add(Step.mishap(member, "commits, but hears nothing", unsure(committed, member)));
        steps.add(Step.mishap(member, "cannot commit, and hears nothing", unsure(state, member)));
        for (int count = 1; count <= mostToClaim(state, member); count++) {
            steps.add(Step.of(member, "claims " + count + " more", claims.more(state, member, count)));
        }
        return steps;
    }

    private State committed(State state, int member) {
        List<Share> shares = state.member(member).shares();
        State next = shares.stream().allMatch(share -> share.granted() == 0) ? state : state.leavingReplica();
        for (int p = 0; p < world.partitions(); p++) {
            Journal journal = state.journal(p);
            if (journal.holder() == member) {
                Share share = shares.get(p);
                next = next.withJournal(p, journal.committed(share.overlay(), share.grantedOffsets()));
            }
        }
        return next;
    }

    /** The database decides. The transaction claims again. */
    private State unsure(State state, int member) {
        State next = variants.contains(Variant.KEEPS_THE_WINDOW_OF_AN_UNKNOWN_COMMIT)
                ? windows.step(state, member)
                : state.withoutWindows(member);
        return next.rolledBack(member);
    }

    private State stepped(State state, int member) {
        return windows.step(state, member).passed(member);
    }

    private int mostToClaim(State state, int member) {
        int most = 0;
        for (int p = 0; p < world.partitions(); p++) {
            most = Math.max(most, world.log(p).length() - state.share(member, p).to());
        }
        return Math.min(MOST_AT_ONCE, most);
    }
}

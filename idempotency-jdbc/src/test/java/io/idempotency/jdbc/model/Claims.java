package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Member.Phase;
import io.idempotency.jdbc.model.Member.Share;
import io.idempotency.jdbc.model.World.Trait;
import java.util.List;
import java.util.Set;

/** Decides in memory which messages are new, and appends them to the overlay of the transaction. */
final class Claims {

    private static final int REFUSED = -1;

    private final World world;
    private final Set<Variant> variants;

    Claims(World world, Set<Variant> variants) {
        this.world = world;
        this.variants = variants;
    }

    /** Claims the next records of every partition in a new transaction. If all are duplicates, it may not need one. */
    State begin(State state, int member, int count) {
        State next = state;
        for (int p = 0; p < world.partitions(); p++) {
            next = next.withShare(member, p, reaching(state.share(member, p), p, count));
        }
        next = decide(next, member);
        if (next.member(member).isIn(Phase.REFUSED)) {
            return next;
        }
        boolean mustAsk = world.has(Trait.ASK_ALWAYS) && !variants.contains(Variant.ANSWERS_WITHOUT_ASKING);
        boolean hasGranted = next.member(member).shares().stream().anyMatch(share -> share.granted() != 0);
        return mustAsk || hasGranted ? next.in(Phase.LOCKING, member, snapshot(state)) : next.passed(member);
    }

    private List<Integer> snapshot(State state) {
        return world.has(Trait.SNAPSHOTS)
                ? state.database().journals().stream()
                        .map(journal -> journal.head().version().number())
                        .toList()
                : List.of();
    }

    /** Decides on all that the transaction claims, by the windows as they are now. */
    State decide(State state, int member) {
        State next = state;
        for (int p = 0; p < world.partitions(); p++) {
            Share share = state.share(member, p);
            Window window = state.window(member, p);
            int granted = granted(window, share.decided(window.head(), 0), p, share.position());
            if (granted == REFUSED) {
                return state.rolledBack(member).in(Phase.REFUSED, member);
            }
            next = next.withShare(member, p, share.decided(window.head(), granted));
        }
        return next;
    }

    State append(State state, int member) {
        State next = state;
        for (int p = 0; p < world.partitions(); p++) {
            Share share = state.share(member, p);
            next = next.withShare(member, p, appended(state, share, p, share.position()));
        }
        return next.in(Phase.HANDLING, member);
    }

    /** Claims more in the same transaction, after its appends. Its locks keep the heads in place. */
    State more(State state, int member, int count) {
        State next = state;
        for (int p = 0; p < world.partitions(); p++) {
            Share share = state.share(member, p);
            Window window = state.window(member, p);
            if (variants.contains(Variant.READS_ITS_OWN_SEGMENTS_AS_FOREIGN)) {
                window = window.extended(share.overlay());
                next = next.withWindow(member, p, window);
            } else if (!isUsable(window, share)) {
                return state.rolledBack(member);
            }
            Share reaching = reaching(share, p, count);
            int granted = granted(window, reaching, p, share.to());
            if (granted == REFUSED) {
                return state.rolledBack(member).in(Phase.REFUSED, member);
            }
            next = next.withShare(member, p, appended(state, reaching.decided(share.base(), granted), p, share.to()));
        }
        return next;
    }

    /** Another thread may have dropped the window since, and loaded it as it was before. */
    private boolean isUsable(Window window, Share share) {
        return variants.contains(Variant.CLAIMS_MORE_BY_ANY_WINDOW)
                ? window.isLoaded()
                : window.head().isAt(share.base());
    }

    private Share reaching(Share share, int partition, int count) {
        return share.reaching(Math.min(share.to() + count, world.log(partition).length()));
    }

    /** Returns those granted so far and, from an offset on, those that neither the window nor they contain. */
    private int granted(Window window, Share share, int partition, int from) {
        String log = world.log(partition);
        boolean handlesAll = variants.contains(Variant.HANDLES_WHAT_IS_BELOW_THE_HORIZON);
        int granted = share.granted();
        for (int offset = from; offset < share.to(); offset++) {
            char message = log.charAt(offset);
            boolean isKnown = window.knows(message);
            for (int earlier = share.position(); earlier < offset; earlier++) {
                isKnown |= ((granted >> earlier) & 1) != 0 && log.charAt(earlier) == message;
            }
            if (!isKnown && offset < window.head().horizonOffset() && !handlesAll) {
                return REFUSED;
            }
            granted |= isKnown ? 0 : 1 << offset;
        }
        return granted;
    }

    private Share appended(State state, Share share, int partition, int from) {
        List<Integer> offsets =
                share.grantedOffsets().stream().filter(offset -> offset >= from).toList();
        if (offsets.isEmpty()) {
            return share;
        }
        StringBuilder entries = new StringBuilder();
        offsets.forEach(offset -> entries.append(world.log(partition).charAt(offset)));
        int token = state.database().token(world, variants);
        return share.appended(new Segment(
                share.top().next(token),
                share.top(),
                entries.toString(),
                offsets.get(0),
                state.database().day()));
    }
}

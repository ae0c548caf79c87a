package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Archive.Answer;
import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Journal.View;
import io.idempotency.jdbc.model.Member.Phase;
import io.idempotency.jdbc.model.Member.Share;
import io.idempotency.jdbc.model.World.Trait;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/** Decides in memory which messages are new, and appends them to the overlay of the transaction. */
final class Claims {

    private static final int REFUSED = -1;

    private final World world;
    private final Set<Variant> variants;
    private final Windows windows;

    Claims(World world, Set<Variant> variants) {
        this.world = world;
        this.variants = variants;
        this.windows = new Windows(variants);
    }

    /** Claims the next records of every partition in a new transaction. */
    State begin(State state, int member, int count) {
        State next = state;
        for (int p = 0; p < world.partitions(); p++) {
            Share share = reaching(state.share(member, p), p, count);
            next = next.withShare(member, p, share.asking(state.window(member, p)));
        }
        next = next.in(Phase.ASKING, member, snapshot(state));
        return mustAskArchives(next, member) ? next : answered(next, member);
    }

    private boolean mustAskArchives(State state, int member) {
        for (int p = 0; p < world.partitions(); p++) {
            if (!asked(state.share(member, p).asked(), state.share(member, p), p)
                    .isEmpty()) {
                return true;
            }
        }
        return false;
    }

    /** The archives that may know a claimed message. */
    private List<Archive> asked(Window window, Share share, int partition) {
        return window.archives().isEmpty()
                ? List.of()
                : world.log(partition)
                        .substring(share.position(), share.to())
                        .chars()
                        .mapToObj(message -> window.maybe((char) message))
                        .flatMap(List::stream)
                        .toList();
    }

    /** Looks up what the archives may know. If one of them is not there any more, it reads the list of archives, and decides again. */
    State ask(State state, int member) {
        State next = state;
        for (int p = 0; p < world.partitions(); p++) {
            View view = view(state, member, p);
            if (isStale(state.share(member, p).asked(), state.share(member, p), p, view)) {
                Window fresh = windows.refreshed(state.window(member, p), view);
                next = next.withWindow(member, p, fresh);
                if (!fresh.isLoaded()) {
                    return next.rolledBack(member);
                }
                next = next.withShare(member, p, next.share(member, p).asking(fresh));
            }
        }
        return next.equals(state) ? answered(state, member) : next;
    }

    private boolean isStale(Window window, Share share, int partition, View view) {
        return !variants.contains(Variant.ASKS_DEAD_ARCHIVES)
                && !variants.contains(Variant.LETS_THE_FILTER_DECIDE)
                && asked(window, share, partition).stream().anyMatch(archive -> !view.has(archive));
    }

    private static View view(State state, int member, int partition) {
        List<View> snapshot = state.member(member).snapshot();
        return snapshot.isEmpty() ? state.journal(partition).view() : snapshot.get(partition);
    }

    /** Decides by the windows that were asked. If all are duplicates, the claim may need nothing else. */
    private State answered(State state, int member) {
        State next = state;
        for (int p = 0; p < world.partitions(); p++) {
            next = decided(next, member, p, state.share(member, p).asked());
            if (!next.member(member).isIn(Phase.ASKING)) {
                return next;
            }
        }
        boolean mustAsk = world.has(Trait.ASK_ALWAYS) && !variants.contains(Variant.ANSWERS_WITHOUT_ASKING);
        boolean hasGranted = next.member(member).shares().stream().anyMatch(share -> share.granted() != 0);
        return mustAsk || hasGranted ? next.in(Phase.LOCKING, member) : next.passed(member);
    }

    private State decided(State state, int member, int p, Window window) {
        Share share = state.share(member, p);
        int granted = granted(window, view(state, member, p), share.decided(window.head(), 0), p, share.position());
        return granted == REFUSED
                ? state.rolledBack(member).in(Phase.REFUSED, member)
                : state.withShare(member, p, share.decided(window.head(), granted));
    }

    private List<View> snapshot(State state) {
        return world.has(Trait.SNAPSHOTS)
                ? state.database().journals().stream().map(Journal::view).toList()
                : List.of();
    }

    /** Decides on all that the transaction claims, by the windows as they are now. Its locks keep heads and archives in place. */
    State decide(State state, int member) {
        Phase phase = state.member(member).phase();
        State next = state;
        for (int p = 0; p < world.partitions(); p++) {
            Window window = current(next, member, p, next.share(member, p));
            next = next.withWindow(member, p, window);
            if (!window.isLoaded()) {
                return next.rolledBack(member);
            }
            next = decided(next, member, p, window);
            if (!next.member(member).isIn(phase)) {
                return next;
            }
        }
        return next;
    }

    /** Returns the window, with the archives that are there now if one of those that it would ask is not. */
    private Window current(State state, int member, int p, Share share) {
        Window window = state.window(member, p);
        View view = view(state, member, p);
        return isStale(window, share, p, view) ? windows.refreshed(window, view) : window;
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
            if (isStale(window, reaching, p, view(state, member, p))) {
                window = windows.refreshed(window, view(state, member, p));
                next = next.withWindow(member, p, window);
                if (!window.isLoaded()) {
                    return next.rolledBack(member);
                }
            }
            int granted = granted(window, view(state, member, p), reaching, p, share.to());
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
    private int granted(Window window, View view, Share share, int partition, int from) {
        String log = world.log(partition);
        boolean handlesAll = variants.contains(Variant.HANDLES_WHAT_IS_BELOW_THE_HORIZON);
        int granted = share.granted();
        for (int offset = from; offset < share.to(); offset++) {
            char message = log.charAt(offset);
            Answer answer = answer(window, view, message);
            boolean isKnown = answer == Answer.KNOWN;
            for (int earlier = share.position(); earlier < offset; earlier++) {
                isKnown |= ((granted >> earlier) & 1) != 0 && log.charAt(earlier) == message;
            }
            if (!isKnown && answer == Answer.NOTHING && offset < window.head().horizonOffset() && !handlesAll) {
                return REFUSED;
            }
            granted |= isKnown ? 0 : 1 << offset;
        }
        return granted;
    }

    /** The live part decides, then the newest archive that has the message. */
    private Answer answer(Window window, View view, char message) {
        Answer live = window.live(message);
        if (live != Answer.NOTHING) {
            return live;
        }
        List<Archive> maybe = window.maybe(message);
        if (variants.contains(Variant.LETS_THE_FILTER_DECIDE) && !maybe.isEmpty()) {
            return Answer.KNOWN;
        }
        if (variants.contains(Variant.ASKS_THE_OLDEST_FIRST)) {
            maybe = new ArrayList<>(maybe);
            Collections.reverse(maybe);
        }
        return maybe.stream()
                .flatMap(archive -> view.archives().stream().filter(archive::is))
                .map(archive -> archive.answer(message))
                .filter(answer -> answer != Answer.NOTHING)
                .findFirst()
                .orElse(Answer.NOTHING);
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

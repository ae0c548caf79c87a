package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Journal.Head;
import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Journal.Version;
import io.idempotency.jdbc.model.Journal.View;
import io.idempotency.jdbc.model.Member.Share;
import java.util.List;
import java.util.Set;

/** Updates windows: by loading, by catching up, and by the appends of their own transactions. */
final class Windows {

    private final Set<Variant> variants;

    Windows(Set<Variant> variants) {
        this.variants = variants;
    }

    static boolean areLoaded(State state, int member) {
        return state.windows().get(state.store(member)).stream().allMatch(Window::isLoaded);
    }

    /** Reads the segments up to the heads read before. A window that another thread has loaded meanwhile stays. */
    State load(State state, int member) {
        State next = state;
        for (int p = 0; p < state.partitions(); p++) {
            if (!state.window(member, p).isLoaded()) {
                next = next.withWindow(member, p, loaded(state.share(member, p).asked(), state.journal(p)));
            }
        }
        return next;
    }

    private Window loaded(Window listed, Journal journal) {
        Head head = listed.head();
        List<Segment> segments = Window.after(journal.segments(), head.lastGone()).stream()
                .filter(segment -> segment.version().number() <= head.version().number())
                .toList();
        List<Archive> archives = variants.contains(Variant.LISTS_ARCHIVES_AFTER_THE_HEAD)
                ? journal.view().archives()
                : listed.archives();
        if (variants.contains(Variant.LOADS_THE_HEAD_LAST)) {
            return new Window(journal.head(), segments, archives);
        }
        boolean isWhole = segments.size() == head.version().number() - head.lastGone();
        return isWhole
                        || variants.contains(Variant.LOADS_ACROSS_A_PURGE)
                        || variants.contains(Variant.LOADS_ACROSS_A_MERGE)
                ? new Window(head, segments, archives)
                : Window.UNLOADED;
    }

    /** Takes over a list of archives that was read before, unless it is older than the window. */
    Window learned(Window window, View list) {
        Window next = variants.contains(Variant.TAKES_OVER_AN_OLDER_LIST) && window.isLoaded()
                ? window.archived(list)
                : refreshed(window, list);
        return next.isLoaded() ? next : window;
    }

    /**
     * Takes over a list of archives, and drops the segments that they replace. A list that lacks an archive of the window for no good reason is older than
     * the window, or of a database that lost commits. And a window that ends within an archive lacks a segment.
     */
    Window refreshed(Window window, View list) {
        boolean isExplained = window.archives().stream().allMatch(each -> list.has(each) || list.explains(each));
        boolean isNewer = window.isLoaded()
                && isExplained
                && list.head().archivedVersion() >= window.head().archivedVersion()
                && list.head().archivedVersion() <= window.head().version().number();
        return isNewer || (window.isLoaded() && variants.contains(Variant.TAKES_AN_UNSEEN_ARCHIVE_FOR_A_DEAD_ONE))
                ? window.archived(list)
                : Window.UNLOADED;
    }

    /** Reads the segments after the windows, under the locks. A window that does not continue to the head is dropped. */
    State catchUp(State state, int member) {
        State next = state;
        for (int p = 0; p < state.partitions(); p++) {
            Window window = state.window(member, p);
            if (window.isLoaded()) {
                List<Segment> seen = seen(state, member, p);
                next = next.withWindow(
                        member, p, caughtUp(window, state.journal(p).head(), seen));
            }
        }
        return next;
    }

    /** Versions below the head must follow each other without a gap, and the first of them must follow the window's. */
    private Window caughtUp(Window window, Head now, List<Segment> seen) {
        Version head = now.version();
        Version version = window.head().version();
        boolean isArchived =
                now.archivedVersion() > 0 && version.number() <= now.archivedVersion() && !head.equals(version);
        if (isArchived && !variants.contains(Variant.CATCHES_UP_FROM_THE_ARCHIVES_ON)) {
            return Window.UNLOADED;
        } else if (isArchived) {
            return window.at(head, Window.after(seen, now.archivedVersion()));
        }
        List<Segment> more = seen.stream()
                .filter(segment -> segment.version().number() > version.number())
                .toList();
        boolean isBelow =
                head.number() < version.number() || (head.number() == version.number() && !head.equals(version));
        boolean hasGap = !isBelow && more.size() != head.number() - version.number();
        boolean isOther = !hasGap && !more.isEmpty() && !more.get(0).follows().equals(version);
        if (hasGap && variants.contains(Variant.CATCHES_UP_BY_SNAPSHOT_IN_A_LOOP)) {
            return window;
        }
        boolean isBroken = (isBelow && !variants.contains(Variant.OVERLOOKS_A_LOWER_HEAD))
                || (hasGap && !acceptsGaps())
                || (isOther && !variants.contains(Variant.COMPARES_ONLY_THE_HEAD));
        return isBroken ? Window.UNLOADED : window.at(head, more);
    }

    private boolean acceptsGaps() {
        return variants.contains(Variant.ACCEPTS_A_GAP) || variants.contains(Variant.CATCHES_UP_BY_SNAPSHOT);
    }

    /** A locking read shows the committed state, a plain read in a snapshot an earlier one. */
    private List<Segment> seen(State state, int member, int partition) {
        List<Segment> committed = state.journal(partition).segments();
        if (!readsSnapshots()) {
            return committed;
        }
        int last =
                state.member(member).snapshot().get(partition).head().version().number();
        return committed.stream()
                .filter(segment -> segment.version().number() <= last)
                .toList();
    }

    private boolean readsSnapshots() {
        return variants.contains(Variant.CATCHES_UP_BY_SNAPSHOT)
                || variants.contains(Variant.CATCHES_UP_BY_SNAPSHOT_IN_A_LOOP);
    }

    /** Advances the windows by the appends of a transaction, if they are still at its base. */
    State step(State state, int member) {
        State next = state;
        for (int p = 0; p < state.partitions(); p++) {
            Share share = state.share(member, p);
            Window window = state.window(member, p);
            if (window.isLoaded() && variants.contains(Variant.STEPS_THE_WINDOW_BLINDLY)) {
                int number = window.head().version().number() + share.overlay().size();
                next = next.withWindow(member, p, window.at(new Version(number, 0), share.overlay()));
            } else if (window.head().isAt(share.base())) {
                next = next.withWindow(member, p, window.extended(share.overlay()));
            }
        }
        return next;
    }
}

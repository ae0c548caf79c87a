package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Journal.Head;
import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Journal.View;
import io.idempotency.jdbc.model.Search.Step;
import io.idempotency.jdbc.model.World.Trait;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Merges segments into archives, and archives into larger ones: an archive is built, becomes active under the lock of the head, and then the segments
 * are deleted. A builder can die anywhere, and then somebody deletes what it built. Stores learn of the archives in two steps: they read the list, and
 * then each window takes it over.
 */
final class Archiving {

    private final World world;
    private final Set<Variant> variants;
    private final Windows windows;

    Archiving(World world, Set<Variant> variants) {
        this.world = world;
        this.variants = variants;
        this.windows = new Windows(variants);
    }

    void steps(State state, List<Step> steps) {
        for (int p = 0; p < state.partitions(); p++) {
            build(state, p, steps);
            activate(state, p, steps);
            cleanUp(state, p, steps);
        }
        for (int store = 0; store < world.stores(); store++) {
            learn(state, store, steps);
        }
    }

    private void build(State state, int p, List<Step> steps) {
        Journal journal = state.journal(p);
        List<Archive> active = journal.view().archives();
        int building = journal.archives().size() - active.size();
        if (building > 0) {
            steps.add(Step.mishap(
                    "a dead builder's archive is deleted",
                    committed(state, p, journal.archived(journal.head(), journal.segments(), active))));
        }
        if (building > (variants.contains(Variant.BUILDS_WHILE_ANOTHER_DOES) ? 1 : 0)) {
            return;
        }
        List<Segment> live = Window.after(journal.segments(), journal.head().lastGone());
        for (int size = 1; size <= live.size(); size++) {
            List<Segment> merged = live.subList(0, size);
            Archive archive =
                    Archive.of(number(state, p, merged.get(0).version().number(), size), merged);
            build(state, p, compacted(archive, active), steps);
        }
        for (int i = 1; i < active.size(); i++) {
            Archive older = active.get(i - 1);
            Archive newer = active.get(i);
            Archive archive = older.and(number(state, p, older.first(), newer.last() - older.first() + 1), newer);
            build(state, p, compacted(archive, active.subList(0, i - 1)), steps);
        }
    }

    /** One number for each timeline and range of versions. */
    private int number(State state, int p, int first, int size) {
        if (variants.contains(Variant.NUMBERS_ARCHIVES_IN_A_ROW)) {
            return 1
                    + state.journal(p).archives().stream()
                            .mapToInt(Archive::number)
                            .max()
                            .orElse(0);
        }
        return 100 * state.database().timeline() + 10 * first + size;
    }

    /** Keeps the newest entry of each message. One that says forgotten is needed only if something older can have the message. */
    private Archive compacted(Archive archive, List<Archive> older) {
        List<String> entries = new ArrayList<>();
        for (String entry : archive.entries()) {
            char message = entry.charAt(entry.length() - 1);
            entries.removeIf(each ->
                    each.charAt(each.length() - 1) == message && !variants.contains(Variant.KEEPS_THE_OLDEST_ENTRY));
            boolean isThere = entries.stream().anyMatch(each -> each.charAt(each.length() - 1) == message);
            boolean hides = older.stream().anyMatch(each -> each.answer(message) != Archive.Answer.NOTHING);
            boolean isNeeded =
                    entry.length() == 1 || (hides && !variants.contains(Variant.MERGES_AWAY_WHAT_IS_FORGOTTEN));
            if (!isThere && isNeeded) {
                entries.add(entry);
            }
        }
        return archive.with(entries);
    }

    private void build(State state, int p, Archive archive, List<Step> steps) {
        Journal journal = state.journal(p);
        List<Segment> segments = journal.segments();
        if (variants.contains(Variant.DELETES_BEFORE_THE_ARCHIVE_IS_ACTIVE)) {
            segments = Window.after(segments, archive.last());
        }
        List<Archive> archives = Journal.joined(journal.archives(), List.of(archive));
        State built = committed(state, p, journal.archived(journal.head(), segments, archives));
        if (world.has(Trait.SLOW_MERGE)) {
            steps.add(Step.mishap("an archive is built", built));
        } else {
            activate(built, p, steps);
        }
    }

    /** Replaces archives within the versions of the new one. The journal says the same before and after. */
    private void activate(State state, int p, List<Step> steps) {
        Journal journal = state.journal(p);
        for (Archive building : journal.archives()) {
            if (building.isActive() || !journal.isFree() || !mayActivate(journal, building)) {
                continue;
            }
            List<Archive> archives = new ArrayList<>();
            for (Archive each : journal.archives()) {
                if (each.equals(building)) {
                    archives.add(building.activated());
                } else if (!isWithin(each, building) || !each.isActive()) {
                    archives.add(each);
                }
            }
            archives.sort((one, other) ->
                    one.isActive() == other.isActive() ? one.last() - other.last() : one.isActive() ? -1 : 1);
            boolean isOfSegments = building.last() > journal.head().archivedVersion()
                    || variants.contains(Variant.BUILDS_WHILE_ANOTHER_DOES);
            Head head = isOfSegments ? journal.head().archivedUpTo(building.last()) : journal.head();
            List<Segment> segments = world.has(Trait.SLOW_MERGE)
                    ? journal.segments()
                    : Window.after(journal.segments(), head.archivedVersion());
            steps.add(Step.mishap(
                    "an archive becomes active", committed(state, p, journal.archived(head, segments, archives))));
        }
    }

    private boolean mayActivate(Journal journal, Archive building) {
        if (variants.contains(Variant.BUILDS_WHILE_ANOTHER_DOES)) {
            return true;
        }
        Head head = journal.head();
        boolean isOfSegments = head.archivedVersion() < building.first();
        boolean areSourcesThere = journal.archives().stream()
                        .filter(each -> each.isActive() && isWithin(each, building))
                        .count()
                == 2;
        return building.last() > head.horizonVersion() && (isOfSegments || areSourcesThere);
    }

    private static boolean isWithin(Archive archive, Archive larger) {
        return archive.first() >= larger.first() && archive.last() <= larger.last();
    }

    private void cleanUp(State state, int p, List<Step> steps) {
        Journal journal = state.journal(p);
        List<Segment> rest = Window.after(journal.segments(), journal.head().archivedVersion());
        if (rest.size() < journal.segments().size()) {
            steps.add(Step.mishap(
                    "the archived segments are deleted",
                    committed(state, p, journal.archived(journal.head(), rest, journal.archives()))));
        }
        boolean isMerging = journal.archives().stream()
                .anyMatch(each ->
                        !each.isActive() && each.first() <= journal.head().archivedVersion());
        if (isMerging && variants.contains(Variant.DELETES_BEFORE_THE_ARCHIVE_IS_ACTIVE)) {
            List<Archive> archives =
                    journal.archives().stream().filter(each -> !each.isActive()).toList();
            steps.add(Step.mishap(
                    "the sources are deleted", committed(state, p, journal.archived(journal.head(), rest, archives))));
        }
    }

    private static State committed(State state, int p, Journal journal) {
        return state.leavingReplica().withJournal(p, journal);
    }

    private void learn(State state, int store, List<Step> steps) {
        View list = state.lists().get(store);
        Window window = state.windows().get(store).get(0);
        View view = state.journal(0).view();
        if (!list.equals(State.UNREAD)) {
            steps.add(learned(state.withList(store, State.UNREAD), store, window, list));
        } else if (window.isLoaded() && !window.archives().equals(view.archives())) {
            steps.add(
                    world.has(Trait.SLOW_LIST)
                            ? Step.mishap(store, "reads the list of archives", state.withList(store, view))
                            : learned(state, store, window, view));
        }
        if (variants.contains(Variant.DROPS_WHAT_IT_DOES_NOT_KNOW_ARCHIVED) && window.isLoaded()) {
            Window young = new Window(
                    window.head(), Window.after(window.segments(), view.head().archivedVersion()), window.archives());
            steps.add(Step.mishap(store, "drops what is archived", state.withWindow(store, 0, young)));
        }
    }

    private Step learned(State state, int store, Window window, View list) {
        return Step.mishap(store, "learns of the archives", state.withWindow(store, 0, windows.learned(window, list)));
    }
}

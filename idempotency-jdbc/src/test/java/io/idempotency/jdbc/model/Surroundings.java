package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Archive.Answer;
import io.idempotency.jdbc.model.Archive.Extent;
import io.idempotency.jdbc.model.Journal.Effects;
import io.idempotency.jdbc.model.Journal.Head;
import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Journal.Version;
import io.idempotency.jdbc.model.Member.Phase;
import io.idempotency.jdbc.model.Search.Step;
import io.idempotency.jdbc.model.State.Database;
import io.idempotency.jdbc.model.World.Trait;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The events around the members: assignments, crashes, time, purges, operators and failovers. */
final class Surroundings {

    private static final int LAST_DAY = 1;

    private final World world;
    private final Set<Variant> variants;
    private final Archiving archiving;

    Surroundings(World world, Set<Variant> variants) {
        this.world = world;
        this.variants = variants;
        this.archiving = new Archiving(world, variants);
    }

    List<Step> steps(State state) {
        List<Step> steps = new ArrayList<>();
        assign(state, steps);
        crash(state, steps);
        if (world.has(Trait.AGEING)) {
            grow(state, steps);
        }
        if (world.has(Trait.ARCHIVING)) {
            archiving.steps(state, steps);
        }
        if (world.has(Trait.FAILOVER)) {
            failOver(state, steps);
        }
        if (world.has(Trait.FORGETTING)) {
            forget(state, steps);
        }
        return steps;
    }

    /** Members that have lost their partitions go on until they notice. */
    private void assign(State state, List<Step> steps) {
        List<Integer> committed = state.kafka().committed();
        if (state.kafka().owner() != State.NOBODY) {
            steps.add(Step.mishap(
                    state.kafka().owner(), "loses its partitions", state.withKafka(State.NOBODY, committed)));
            return;
        }
        for (int member = 0; member < (world.has(Trait.ALONE) ? 1 : World.MEMBERS); member++) {
            Phase phase = state.member(member).phase();
            if (phase == Phase.STANDBY || phase == Phase.IDLE || phase == Phase.REFUSED) {
                State next = state.withKafka(member, committed).withMember(member, Member.idleAt(committed));
                steps.add(Step.of(member, "is assigned the partitions", next));
            }
        }
    }

    private void crash(State state, List<Step> steps) {
        for (int store = 0; store < world.stores(); store++) {
            State next = state;
            for (int member = 0; member < World.MEMBERS; member++) {
                if (state.store(member) == store) {
                    next = next.withoutWindows(member)
                            .rolledBack(member)
                            .withMember(member, Member.standby(world.partitions()));
                    next = next.kafka().owner() == member
                            ? next.withKafka(State.NOBODY, next.kafka().committed())
                            : next;
                }
            }
            steps.add(Step.mishap(store, "crashes with its process", next.withList(store, State.UNREAD)));
            steps.add(Step.mishap(store, "drops its windows", state.withoutWindows(store)));
        }
    }

    private void grow(State state, List<Step> steps) {
        Database database = state.database();
        if (database.day() < LAST_DAY) {
            steps.add(Step.mishap("a day passes", state.withDatabase(database.on(database.day() + 1))));
        }
        for (int p = 0; p < world.partitions(); p++) {
            Journal journal = state.journal(p);
            if (journal.isFree() && isPurgeable(journal, database.day())) {
                steps.add(Step.mishap("the oldest is purged", state.withJournal(p, purged(journal, p))));
            }
            for (int store = 0; store < world.stores(); store++) {
                trim(state, store, p, steps);
            }
        }
    }

    private boolean isPurgeable(Journal journal, int today) {
        List<Segment> live = live(journal);
        List<Archive> archives = journal.view().archives();
        if (live.isEmpty() && archives.isEmpty()) {
            return false;
        }
        int newest = newest(journal);
        Extent first = archives.isEmpty()
                ? Extent.of(live.subList(0, 1))
                : archives.get(0).extent();
        int oldest =
                variants.contains(Variant.PURGES_AN_ARCHIVE_BY_ITS_OLDEST_ENTRY) ? first.firstDay() : first.lastDay();
        return oldest < (variants.contains(Variant.PURGES_WHILE_THE_PARTITION_IS_IDLE) ? today : newest);
    }

    private static List<Segment> live(Journal journal) {
        return Window.after(journal.segments(), journal.head().lastGone());
    }

    private static int newest(Journal journal) {
        List<Segment> live = live(journal);
        List<Archive> archives = journal.view().archives();
        return live.isEmpty()
                ? archives.get(archives.size() - 1).extent().lastDay()
                : live.get(live.size() - 1).day();
    }

    /** Drops the oldest archive as a whole, or the oldest segment if there is none. */
    private Journal purged(Journal journal, int partition) {
        List<Archive> archives = journal.view().archives();
        List<Segment> live = live(journal);
        boolean isArchive = !archives.isEmpty();
        Archive purged = isArchive ? archives.get(0) : Archive.of(0, live.subList(0, 1));
        List<Archive> otherArchives = journal.archives().stream()
                .filter(archive -> !archive.is(purged))
                .toList();
        List<Segment> otherSegments = isArchive ? journal.segments() : Window.after(journal.segments(), purged.last());
        Head head = journal.head().purgedUpTo(purged.last(), purged.extent().endOffset());
        Journal rest = new Journal(head, otherSegments, otherArchives, Journal.FREE, journal.effects());
        boolean isExact = !isEmpty(rest) && !variants.contains(Variant.MOVES_THE_HORIZON_TOO_LITTLE);
        int horizon = isExact ? firstOffset(rest) : purged.extent().endOffset();
        int outlived = journal.effects().outlived();
        boolean isOutlived = !isEmpty(rest) && purged.extent().lastDay() < newest(rest);
        for (int offset = 0; isOutlived && offset < world.log(partition).length(); offset++) {
            boolean isKnown = purged.answer(world.log(partition).charAt(offset)) != Answer.NOTHING;
            outlived |= isKnown ? 1 << offset : 0;
        }
        return new Journal(
                journal.head().purgedUpTo(purged.last(), horizon),
                otherSegments,
                otherArchives,
                Journal.FREE,
                new Effects(
                        journal.effects().offsets(), outlived, journal.effects().forgotten()));
    }

    private static boolean isEmpty(Journal journal) {
        return journal.view().archives().isEmpty() && live(journal).isEmpty();
    }

    private static int firstOffset(Journal journal) {
        List<Archive> archives = journal.view().archives();
        return archives.isEmpty()
                ? live(journal).get(0).firstOffset()
                : archives.get(0).extent().firstOffset();
    }

    private void trim(State state, int store, int partition, List<Step> steps) {
        Window window = state.windows().get(store).get(partition);
        Head head = state.journal(partition).head();
        if (window.head().version().number() >= head.horizonVersion()) {
            Window trimmed = window.trimmed(head.horizonVersion(), head.horizonOffset());
            steps.add(
                    Step.mishap(store, "drops what the horizon dropped", state.withWindow(store, partition, trimmed)));
        }
        if (variants.contains(Variant.DROPS_WHAT_THE_HORIZON_KEEPS)) {
            List<Segment> young = window.segments().stream()
                    .filter(segment -> segment.day() >= state.database().day())
                    .toList();
            steps.add(Step.mishap(
                    store,
                    "drops what is old",
                    state.withWindow(store, partition, new Window(window.head(), young, window.archives()))));
        }
    }

    /** Allowed only before a member has passed the lost entries; later, nothing could restore them. */
    private void failOver(State state, List<Step> steps) {
        Database database = state.database();
        if (database.replica().isEmpty()) {
            return;
        }
        State next = state.withDatabase(
                new Database(database.replica(), List.of(), database.day(), database.timeline() + 1));
        for (int member = 0; member < World.MEMBERS; member++) {
            Member each = state.member(member);
            boolean isIdle = each.isIn(Phase.STANDBY) || each.isIn(Phase.COMMITTED) || each.isIn(Phase.REFUSED);
            next = isIdle ? next : next.rolledBack(member);
        }
        if (Fault.of(next, world) == Fault.NONE) {
            steps.add(Step.mishap("the database fails over and loses a commit", next));
        }
    }

    /** Forgets a message. If it is delivered again, its effect is expected once more. */
    private void forget(State state, List<Step> steps) {
        for (int p = 0; p < world.partitions(); p++) {
            Journal journal = state.journal(p);
            if (!journal.isFree() || journal.effects().forgotten() != 0) {
                continue;
            }
            String log = world.log(p);
            for (int offset : journal.effects().offsets()) {
                steps.add(Step.mishap(
                        "message " + log.charAt(offset) + " is forgotten",
                        state.withJournal(p, without(journal, offset, log, Fault.passed(state, p)))));
            }
        }
    }

    private Journal without(Journal journal, int offset, String log, int passed) {
        char message = log.charAt(offset);
        int forgotten = 0;
        for (int each = 0; each < Math.max(passed, offset + 1); each++) {
            forgotten |= log.charAt(each) == message ? 1 << each : 0;
        }
        List<Integer> rest = journal.effects().offsets().stream()
                .filter(each -> each != offset)
                .toList();
        Version version = journal.head().version();
        Version next = variants.contains(Variant.FORGETS_WITHOUT_A_VERSION) ? version : version.next(0);
        Segment removal = new Segment(next, version, Segment.REMOVAL + message, offset, 0);
        return new Journal(
                        journal.head(),
                        journal.segments(),
                        journal.archives(),
                        Journal.FREE,
                        new Effects(rest, 0, forgotten))
                .committed(List.of(removal), List.of());
    }
}

package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Journal.Version;
import io.idempotency.jdbc.model.Journal.View;
import io.idempotency.jdbc.model.Member.Phase;
import io.idempotency.jdbc.model.Member.Share;
import io.idempotency.jdbc.model.World.Trait;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * Everything that two runs can differ in. Windows are listed by store and partition. Lists are what each store has read about archives and its window does not
 * know yet.
 */
record State(Kafka kafka, Database database, List<List<Window>> windows, List<View> lists, List<Member> members) {

    static final View UNREAD = new View(Window.UNLOADED.head(), List.of());

    static final int NOBODY = -1;

    /** Who owns the partitions (all of them belong to one member), and the committed offsets. */
    record Kafka(int owner, List<Integer> committed) {}

    /**
     * Where there is a replica, it lacks the last commit. A failover begins another timeline. Within one timeline every
     * version is committed once, so that its number stands for the random tokens of all its appends.
     */
    record Database(List<Journal> journals, List<Journal> replica, int day, int timeline) {

        Database with(List<Journal> next) {
            return new Database(next, replica, day, timeline);
        }

        Database on(int next) {
            return new Database(journals, replica, next, timeline);
        }

        int token(World world, Set<Variant> variants) {
            return world.has(Trait.TOKENS) && !variants.contains(Variant.DRAWS_NO_TOKEN) ? timeline : 0;
        }
    }

    static State start(World world) {
        List<Journal> journals = Collections.nCopies(world.partitions(), Journal.EMPTY);
        State start = new State(
                new Kafka(NOBODY, Collections.nCopies(world.partitions(), 0)),
                new Database(journals, world.has(Trait.FAILOVER) ? journals : List.of(), 0, 0),
                Collections.nCopies(world.stores(), Collections.nCopies(world.partitions(), Window.UNLOADED)),
                Collections.nCopies(world.stores(), UNREAD),
                Collections.nCopies(World.MEMBERS, Member.standby(world.partitions())));
        return world.has(Trait.FAILED_OVER) ? start.failedOver() : world.has(Trait.BEGUN) ? start.begun(world) : start;
    }

    private State begun(World world) {
        Journal journal = Journal.EMPTY;
        int last = world.log(0).length() - 1;
        for (int offset = 0; offset < last; offset++) {
            Version version = journal.head().version();
            String message = world.log(0).substring(offset, offset + 1);
            Segment segment = new Segment(version.next(0), version, message, offset, offset);
            journal = journal.committed(List.of(segment), List.of(offset));
        }
        return withDatabase(database.on(last - 1)).withJournal(0, journal);
    }

    /** The first store knows a version 1 that is lost; by now there is another one, of two messages. */
    private State failedOver() {
        Version none = Journal.EMPTY.head().version();
        Segment lost = new Segment(none.next(0), none, "a", 0, 0);
        Segment other = new Segment(none.next(1), none, "ab", 0, 0);
        Window window = new Window(Journal.EMPTY.head(), List.of(), List.of()).extended(List.of(lost));
        List<Journal> journals = List.of(Journal.EMPTY.committed(List.of(other), List.of(0, 1)));
        return withDatabase(new Database(journals, List.of(), 0, 1)).withWindow(0, 0, window);
    }

    int partitions() {
        return database.journals.size();
    }

    Journal journal(int partition) {
        return database.journals.get(partition);
    }

    State withJournal(int partition, Journal journal) {
        return withDatabase(database.with(replaced(database.journals, partition, journal)));
    }

    State withDatabase(Database next) {
        return new State(kafka, next, windows, lists, members);
    }

    State withKafka(int owner, List<Integer> committed) {
        return new State(new Kafka(owner, committed), database, windows, lists, members);
    }

    Window window(int member, int partition) {
        return windows.get(store(member)).get(partition);
    }

    State withWindow(int member, int partition, Window window) {
        List<Window> next = replaced(windows.get(store(member)), partition, window);
        return new State(kafka, database, replaced(windows, store(member), next), lists, members);
    }

    State withList(int store, View list) {
        return new State(kafka, database, windows, replaced(lists, store, list), members);
    }

    int store(int member) {
        return Math.min(member, windows.size() - 1);
    }

    Member member(int member) {
        return members.get(member);
    }

    State withMember(int member, Member next) {
        return new State(kafka, database, windows, lists, replaced(members, member, next));
    }

    State in(Phase phase, int member) {
        return withMember(member, member(member).in(phase));
    }

    State in(Phase phase, int member, List<View> snapshot) {
        return withMember(member, new Member(phase, member(member).shares(), snapshot));
    }

    Share share(int member, int partition) {
        return member(member).shares().get(partition);
    }

    State withShare(int member, int partition, Share share) {
        Member old = member(member);
        return withMember(member, new Member(old.phase(), replaced(old.shares(), partition, share), old.snapshot()));
    }

    List<Integer> positions(int member) {
        return member(member).shares().stream().map(Share::position).toList();
    }

    /** Releases the locks and forgets the decisions and appends of the transaction. */
    State rolledBack(int member) {
        State next = withMember(member, Member.idleAt(positions(member)));
        for (int partition = 0; partition < partitions(); partition++) {
            if (journal(partition).holder() == member) {
                next = next.withJournal(partition, journal(partition).heldBy(Journal.FREE));
            }
        }
        return next;
    }

    State withoutWindows(int member) {
        List<Window> unloaded = Collections.nCopies(partitions(), Window.UNLOADED);
        return new State(kafka, database, replaced(windows, store(member), unloaded), lists, members);
    }

    /** Moves a member to the position after its claims. */
    State passed(int member) {
        List<Integer> ends = member(member).shares().stream().map(Share::to).toList();
        return withMember(member, Member.idleAt(ends));
    }

    /** Keeps the replica, if there is one, at the state before the commit. */
    State leavingReplica() {
        if (database.replica.isEmpty()) {
            return this;
        }
        List<Journal> replica = database.journals.stream()
                .map(journal -> journal.heldBy(Journal.FREE))
                .toList();
        return withDatabase(new Database(database.journals, replica, database.day, database.timeline));
    }

    /** Prints journals, windows by store, and committed offsets, for a trace. */
    String inShort() {
        return "effects "
                + database.journals.stream()
                        .map(journal -> journal.effects().offsets())
                        .toList()
                + " journals "
                + database.journals.stream().map(Journal::inShort).toList()
                + " windows "
                + windows.stream()
                        .map(store -> store.stream().map(Window::inShort).toList())
                        .toList()
                + " committed " + kafka.committed;
    }

    private static <T> List<T> replaced(List<T> list, int index, T element) {
        List<T> next = new ArrayList<>(list);
        next.set(index, element);
        return List.copyOf(next);
    }
}

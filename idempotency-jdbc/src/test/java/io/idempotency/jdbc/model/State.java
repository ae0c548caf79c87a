package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Member.Phase;
import io.idempotency.jdbc.model.Member.Share;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/** Everything that two runs can differ in. Windows are listed by store and partition. */
record State(Kafka kafka, Database database, List<List<Window>> windows, List<Member> members) {

    static final int NOBODY = -1;

    /** Who owns the partitions (all of them belong to one member), and the committed offsets. */
    record Kafka(int owner, List<Integer> committed) {}

    /** Where there is a replica, it lacks the last commit. The number of commits serves as the random token. */
    record Database(List<Journal> journals, List<Journal> replica, int day, int commits) {

        Database with(List<Journal> next) {
            return new Database(next, replica, day, commits);
        }

        Database on(int next) {
            return new Database(journals, replica, next, commits);
        }

        int token(World world, Set<Variant> variants) {
            return world.has(World.Trait.TOKENS) && !variants.contains(Variant.DRAWS_NO_TOKEN) ? commits + 1 : 0;
        }
    }

    static State start(World world) {
        List<Journal> journals = Collections.nCopies(world.partitions(), Journal.EMPTY);
        boolean hasReplica = world.has(World.Trait.FAILOVER);
        return new State(
                new Kafka(NOBODY, Collections.nCopies(world.partitions(), 0)),
                new Database(journals, hasReplica ? journals : List.of(), 0, 0),
                Collections.nCopies(world.stores(), Collections.nCopies(world.partitions(), Window.UNLOADED)),
                Collections.nCopies(World.MEMBERS, Member.standby(world.partitions())));
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
        return new State(kafka, next, windows, members);
    }

    State withKafka(int owner, List<Integer> committed) {
        return new State(new Kafka(owner, committed), database, windows, members);
    }

    Window window(int member, int partition) {
        return windows.get(store(member)).get(partition);
    }

    State withWindow(int member, int partition, Window window) {
        List<Window> next = replaced(windows.get(store(member)), partition, window);
        return new State(kafka, database, replaced(windows, store(member), next), members);
    }

    int store(int member) {
        return Math.min(member, windows.size() - 1);
    }

    Member member(int member) {
        return members.get(member);
    }

    State withMember(int member, Member next) {
        return new State(kafka, database, windows, replaced(members, member, next));
    }

    State in(Phase phase, int member) {
        return withMember(member, member(member).in(phase));
    }

    Share share(int member, int partition) {
        return member(member).shares().get(partition);
    }

    State in(Phase phase, int member, List<Integer> snapshot) {
        return withMember(member, new Member(phase, member(member).shares(), snapshot));
    }

    State withShare(int member, int partition, Share share) {
        Member old = member(member);
        return withMember(member, new Member(old.phase(), replaced(old.shares(), partition, share), old.snapshot()));
    }

    List<Integer> positions(int member) {
        return member(member).shares().stream().map(Share::position).toList();
    }

    /** Gives the locks back and forgets what the transaction decided and appended. */
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
        return new State(kafka, database, replaced(windows, store(member), unloaded), members);
    }

    /** Lets a member go on behind what it claimed. */
    State passed(int member) {
        List<Integer> ends = member(member).shares().stream().map(Share::to).toList();
        return withMember(member, Member.idleAt(ends));
    }

    /** Counts the commit, and leaves the replica behind. */
    State committing(World world) {
        List<Journal> replica = database.replica.isEmpty()
                ? List.of()
                : database.journals.stream().map(each -> each.heldBy(Journal.FREE)).toList();
        int commits = world.has(World.Trait.TOKENS) ? database.commits + 1 : 0;
        return withDatabase(new Database(database.journals, replica, database.day, commits));
    }

    /** Shows in a trace what the journals and the windows contain. */
    String inShort() {
        StringBuilder text = new StringBuilder();
        for (Journal journal : database.journals) {
            text.append("v")
                    .append(journal.head().version().number())
                    .append(" effects ")
                    .append(journal.effects().offsets());
        }
        windows.forEach(store -> store.forEach(window -> text.append("  window v")
                .append(window.head().version().number())
                .append(window.segments().stream().map(Journal.Segment::entries).toList())));
        return text.append("  committed ").append(kafka.committed).toString();
    }

    private static <T> List<T> replaced(List<T> list, int index, T element) {
        List<T> next = new ArrayList<>(list);
        next.set(index, element);
        return List.copyOf(next);
    }
}

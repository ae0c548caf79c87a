package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One schedule: two or three {@link Process processes} with the real flow, a {@link SimulatedStore store}, a {@link SimulatedLog log} and a clock. All that is
 * left to chance comes from its {@link Choices}, so the same choices give the same schedule.
 *
 * <ol>
 *   <li>The seed allows some {@link Fault faults}, and lays out the records with their copies.
 *   <li>The processes run, one at a time; the {@link Baton} goes on at each call that leaves a process.
 *   <li>After some steps nothing goes wrong any more, and all has to come to rest: everything settled, its offsets committed.
 *   <li>{@link History} compares each step with what is promised.
 * </ol>
 */
final class Simulation {

    static final String CONSUMER = "billing";
    static final int ATTEMPTS = 2;
    static final Duration LEASE = Duration.ofMillis(300);
    private static final int MOST_STEPS = 4_000;

    private final Choices choices;
    private final Baton baton;
    private final ConsistencyLevel level;
    private final @Nullable Broken broken;
    private final Set<Fault> faults = EnumSet.noneOf(Fault.class);
    private final Map<Branch, Integer> visits;
    private final SimulatedLog log;
    private final SimulatedStore store;
    private final History history;
    private final List<Member> processes = new ArrayList<>();
    private final Map<Baton.Fibre, Member> byFibre = new HashMap<>();
    private final Set<String> ids = new HashSet<>();
    private final Deque<String> toSend = new ArrayDeque<>();
    private final Set<String> poison = new HashSet<>();
    private final boolean isBatch;
    private final boolean isNaming;
    private final boolean isContended;
    private final int wildSteps;
    private boolean isCalm;
    private boolean isWithMarkers;

    Simulation(
            Choices choices,
            ConsistencyLevel level,
            @Nullable Broken broken,
            boolean isTraced,
            Map<Branch, Integer> visits) {
        this.choices = choices;
        this.level = level;
        this.broken = broken;
        this.visits = visits;
        this.baton = new Baton(choices, MOST_STEPS, isTraced);
        this.store = new SimulatedStore(this);
        this.history = new History(this);
        for (Fault fault : Fault.values()) {
            if (choices.oneIn(2)) {
                faults.add(fault);
            }
        }
        this.isBatch = level != ConsistencyLevel.AT_MOST_ONCE && choices.oneIn(3);
        this.isNaming = choices.oneIn(2);
        this.isContended = level == ConsistencyLevel.STRONG && choices.oneIn(2);
        this.wildSteps = 100 + choices.below(400);
        this.log = new SimulatedLog(this, 1 + choices.below(3));
        layOut();
        int count = 2 + choices.below(2);
        for (int i = 0; i < count; i++) {
            Member process = new Member(this, "p" + i);
            processes.add(process);
            byFibre.put(baton.add("p" + i), process);
        }
    }

    static Map<Branch, Integer> noVisits() {
        return new EnumMap<>(Branch.class);
    }

    private void layOut() {
        int records = 4 + choices.below(24);
        for (int i = 0; i < records; i++) {
            boolean isCopy = i > 0 && choices.oneIn(4);
            String id = "m" + (isCopy ? choices.below(i) : i);
            ids.add(id);
            toSend.add(id);
            if (choices.oneIn(10)) {
                poison.add(id);
            }
        }
        int sent = choices.below(records);
        for (int i = 0; i < records - sent; i++) {
            send();
        }
    }

    /** The producer sends its next record. Copies take any partition. */
    private void send() {
        String id = toSend.poll();
        if (id != null) {
            log.append(choices.below(log.partitions()), id);
            if (toSend.isEmpty() && choices.oneIn(4)) {
                log.appendMarker(0);
            }
        }
    }

    /** Asks for offsets behind the last markers, too. */
    Simulation withMarkers() {
        isWithMarkers = true;
        return this;
    }

    /** Runs it. Throws {@link Violation} if a promise is broken. */
    void run(Executor threads) {
        baton.run(processes.stream().<Runnable>map(process -> process::run).toList(), threads);
        history.checkEnd(ids);
    }

    /** Everything that can happen to a process between two of its calls. */
    void point(String what) {
        Member process = process();
        if (process.isDead) {
            throw new Died();
        }
        note(what);
        if (!toSend.isEmpty() && choices.below(4) == 0) {
            send();
        }
        if (happens(Fault.REBALANCE)) {
            rebalance();
        }
        if (happens(Fault.DEATH)) {
            if (history.holdsAny(process)) {
                visit(Branch.DIED_WITH_LEASE);
            }
            note("dies");
            process.isDead = true;
            history.excuse(process.inHand);
            throw new Died();
        }
        if (happens(Fault.PAUSE)) {
            note("is paused");
            baton.sleep(LEASE.toNanos() * (1 + choices.below(3)));
        } else {
            baton.step();
        }
        process.mayRenew();
    }

    private void rebalance() {
        List<SimulatedConsumer> members = log.members();
        if (members.size() > 1 && choices.oneIn(2)) {
            SimulatedConsumer member = members.get(choices.below(members.size()));
            note(member + " is expelled");
            log.expel(member);
        } else {
            log.rebalance();
        }
    }

    /** Waits, but for the renewal of leases. */
    void sleep(long nanos) {
        baton.sleep(nanos);
        process().mayRenew();
    }

    /** Ends the schedule when all is consumed. */
    void mayEnd() {
        if (!isCalm && baton.steps() > wildSteps) {
            isCalm = true;
            note("nothing goes wrong from now on; " + log);
        }
        if (isCalm
                && toSend.isEmpty()
                && log.isConsumed(isWithMarkers)
                && processes.stream().allMatch(each -> each.inHand.isEmpty())) {
            baton.stop();
        }
    }

    boolean happens(Fault fault) {
        boolean isPossible = !isCalm && faults.contains(fault) && baton.steps() <= wildSteps;
        return isPossible && choices.oneIn(fault.rarity);
    }

    void visit(Branch branch) {
        visits.merge(branch, 1, Integer::sum);
    }

    void note(String what) {
        baton.note(what);
    }

    Member process() {
        Member process = byFibre.get(baton.current());
        if (process == null) {
            throw new IllegalStateException("No process runs");
        }
        return process;
    }

    MessageId id(String value) {
        return new MessageId(CONSUMER, value);
    }

    boolean isPoison(MessageId id) {
        return poison.contains(id.value());
    }

    boolean isBroken(Broken fault) {
        return broken == fault;
    }

    boolean isBroken() {
        return broken != null;
    }

    boolean isBatch() {
        return isBatch;
    }

    boolean isNaming() {
        return isNaming;
    }

    /** Returns whether handlers lock rows that others lock, too. */
    boolean isContended() {
        return isContended;
    }

    long nanos() {
        return baton.nanos();
    }

    Choices choices() {
        return choices;
    }

    Baton baton() {
        return baton;
    }

    ConsistencyLevel level() {
        return level;
    }

    SimulatedLog log() {
        return log;
    }

    SimulatedStore store() {
        return store;
    }

    History history() {
        return history;
    }
}

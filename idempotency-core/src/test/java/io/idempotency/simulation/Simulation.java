package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicPartition;

/**
 * One schedule: two or three {@link Member processes} with the real flow, a {@link SimulatedStore store}, a {@link SimulatedLog log} with its
 * {@link SimulatedGroup group}, and a clock. All that is left to chance comes from its {@link Choices}, so the same choices give the same schedule.
 *
 * <ol>
 *   <li>The seed allows some {@link Fault faults}, and the {@link Producer} lays out the records with their copies.
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
    /** So many processes consume, and as many replay. */
    private static final int REPLAYING = 2;

    private final Choices choices;
    private final Baton baton;
    private final Scene scene;
    private final Set<Fault> faults = EnumSet.noneOf(Fault.class);
    private final Map<Branch, Integer> visits;
    private final SimulatedLog log;
    private final SimulatedGroup group;
    private final Producer producer;
    private final SimulatedStore store;
    private final History history;
    private final List<Member> processes = new ArrayList<>();
    private final Map<Baton.Fibre, Member> byFibre = new HashMap<>();
    private final boolean isBatch;
    private final boolean isNaming;
    private final boolean isContended;
    private final boolean isScoped;
    private final boolean isKeyed;
    private final Operator operator;
    private final int wildSteps;
    private boolean isCalm;

    Simulation(Choices choices, Scene scene, boolean isTraced, Map<Branch, Integer> visits) {
        this.choices = choices;
        this.scene = scene;
        this.visits = visits;
        this.baton = new Baton(choices, scene.isReplaying() ? 3 * MOST_STEPS : MOST_STEPS, isTraced);
        this.store = new SimulatedStore(this);
        this.history = new History(this);
        for (Fault fault : Fault.values()) {
            if (choices.oneIn(2)) {
                faults.add(fault);
            }
        }
        this.isBatch = level() != ConsistencyLevel.AT_MOST_ONCE && choices.oneIn(3);
        this.isNaming = choices.oneIn(2);
        this.isContended = level() == ConsistencyLevel.STRONG && choices.oneIn(2);
        this.isScoped = choices.oneIn(4);
        this.isKeyed = scene.isReplaying() && level() == ConsistencyLevel.STRONG && choices.oneIn(2);
        if (isKeyed) {
            // The key of a record that nobody can read is not known, and its partition stands still.
            faults.remove(Fault.UNREADABLE);
        }
        this.operator = new Operator(this);
        this.wildSteps = (100 + choices.below(400)) * (scene.isReplaying() ? 2 : 1);
        this.log = new SimulatedLog(this, 1 + choices.below(3));
        this.group = new SimulatedGroup(this);
        this.producer = new Producer(this, log);
        int count = scene.isReplaying() ? REPLAYING : 2 + choices.below(2);
        for (int i = 0; i < count; i++) {
            add("p" + i, false);
        }
        for (int i = 0; scene.isReplaying() && i < REPLAYING; i++) {
            add("replayer" + i, true);
        }
        baton.add("network");
    }

    private void add(String name, boolean isReplaying) {
        Member process = new Member(this, name, isReplaying);
        processes.add(process);
        byFibre.put(baton.add(name), process);
    }

    static Map<Branch, Integer> noVisits() {
        return new EnumMap<>(Branch.class);
    }

    /** Runs it. Throws {@link Violation} if a promise is broken. */
    void run(Executor threads) {
        List<Runnable> bodies = new ArrayList<>();
        processes.forEach(process -> bodies.add(process::run));
        bodies.add(store.transactions().late()::run);
        baton.run(bodies, threads);
        history.checkEnd();
    }

    /** Everything that can happen to a process between two of its calls. */
    void point(String what) {
        Member process = process();
        if (process.isDead) {
            throw new Died();
        }
        note(what);
        producer.maySend();
        if (happens(Fault.REBALANCE)) {
            group.disturb();
        }
        if (happens(Fault.COMPACTION)) {
            log.compact();
        }
        if (happens(Fault.STOP)) {
            processes.get(choices.below(processes.size())).close();
        }
        if (happens(Fault.DEATH)) {
            process.die();
        }
        if (happens(Fault.PAUSE)) {
            note("is paused");
            baton.sleep(LEASE.toNanos() * (1 + choices.below(3)));
        } else {
            baton.step();
        }
        process.mayRenew();
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
            note("nothing goes wrong from now on; " + log + "; " + group);
        }
        if (isCalm
                && producer.isDone()
                && group.isConsumed(true)
                && store.transactions().late().isEmpty()
                && (!scene.isReplaying() || store.quarantine().ids().isEmpty())
                && processes.stream().allMatch(each -> each.inHand.isEmpty())) {
            baton.stop();
        }
    }

    /** Returns whether the fault is among those of this schedule. */
    boolean allows(Fault fault) {
        return faults.contains(fault);
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

    int otherProcesses() {
        return processes.size() - 1;
    }

    MessageId id(String value) {
        return new MessageId(CONSUMER, value);
    }

    /** Returns the id of the record at that offset, as its header tells it. */
    String idAt(TopicPartition partition, long offset) {
        return log.from(partition.partition(), offset, 1).get(0).id();
    }

    boolean isPoison(MessageId id) {
        return producer.isPoison(id.value());
    }

    /** Returns whether the messages have keys, whose order is kept. */
    boolean isKeyed() {
        return isKeyed;
    }

    boolean isWithReplays() {
        return scene.isReplaying();
    }

    /** Returns whether nothing goes wrong any more. */
    boolean isCalm() {
        return isCalm;
    }

    Operator operator() {
        return operator;
    }

    /** Returns whether the message kills its process, as long as anything goes wrong. */
    boolean kills(MessageId id) {
        return producer.isKiller(id.value()) && !isCalm && baton.steps() <= wildSteps;
    }

    boolean isBroken(Broken fault) {
        return scene.broken() == fault;
    }

    boolean isBroken() {
        return scene.broken() != null;
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

    boolean isScoped() {
        return isScoped;
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
        return scene.level();
    }

    SimulatedLog log() {
        return log;
    }

    SimulatedGroup group() {
        return group;
    }

    Producer producer() {
        return producer;
    }

    SimulatedStore store() {
        return store;
    }

    History history() {
        return history;
    }
}

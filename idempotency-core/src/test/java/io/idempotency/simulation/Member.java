package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.SimulatedConsumers;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.SimulatedLoops;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** A process: polls, handles and commits until it dies or is closed, and starts again. */
final class Member {

    static final Duration POLL = Duration.ofMillis(500);

    private static final Duration CHUNK = Duration.ofSeconds(60);
    private static final long SECOND = 1_000_000_000L;

    private final Simulation simulation;
    private final String name;
    private final boolean isReplaying;

    /** How often it was started. */
    int life;
    /** How many verbs of the store that leases are locked for are under way. */
    int verbs;

    boolean isDead;
    /** Messages whose claims are committed and which have had no effect yet; only of use where the claim is committed first. */
    final Set<MessageId> inHand = new HashSet<>();

    @Nullable
    RunningTransaction transaction;

    @Nullable
    SimulatedCache cache;

    private @Nullable Runnable tick;
    private long tickNanos;
    private long tickEvery;
    private @Nullable SimulatedConsumer client;
    private @Nullable IdempotentConsumer<ConsumerRecord<String, String>> consumer;
    private @Nullable Runnable closing;
    private @Nullable Object scope;
    private boolean isJoined;
    private int claimed;
    private int failedAmong;

    /** @param isReplaying whether it replays, and does not poll */
    Member(Simulation simulation, String name, boolean isReplaying) {
        this.simulation = simulation;
        this.name = name;
        this.isReplaying = isReplaying;
    }

    boolean isReplaying() {
        return isReplaying;
    }

    @Override
    public String toString() {
        return name;
    }

    @Nullable
    SimulatedConsumer client() {
        return client;
    }

    /** Lives again and again. */
    void run() {
        while (true) {
            life++;
            begin();
            try {
                live();
            } catch (Died died) {
                simulation.note("is dead");
            }
            closing = null;
            isDead = false;
            simulation.baton().sleep(1_000_000L * (1 + simulation.choices().below(300)));
            SimulatedConsumer mine = client;
            if (mine != null) {
                simulation.group().leave(mine);
            }
        }
    }

    private void begin() {
        verbs = 0;
        inHand.clear();
        transaction = null;
        cache = null;
        tick = null;
        scope = null;
    }

    private void live() {
        SimulatedHandler handler = new SimulatedHandler(simulation, this);
        SimulatedConsumers.Clock clock = clock();
        if (isReplaying) {
            try (IdempotentConsumer<ConsumerRecord<String, String>> built = build(clock)) {
                consumer = built;
                Replaying replaying = new Replaying(simulation, this, built, handler, clock);
                closing = replaying::close;
                replaying.run();
            }
            return;
        }
        SimulatedConsumer mine = new SimulatedConsumer(simulation, this);
        client = mine;
        isJoined = !simulation.isKeyed()
                && simulation.level() == ConsistencyLevel.STRONG
                && simulation.choices().below(4) == 1;
        try (IdempotentConsumer<ConsumerRecord<String, String>> built = build(clock)) {
            consumer = built;
            if (isJoined) {
                JoinedLoop loop = new JoinedLoop(simulation, mine.kafka(), built, handler);
                closing = loop::close;
                loop.run();
                return;
            }
            SimulatedLoops.Clock ofLoop = new SimulatedLoops.Clock(simulation::nanos, simulation::sleep);
            PollLoop<String, String> loop = simulation.isBatch()
                    ? SimulatedLoops.batches(built, handler::handleAll, mine.kafka(), ofLoop)
                    : SimulatedLoops.each(built, handler::handle, mine.kafka(), ofLoop);
            closing = loop::close;
            loop.run();
        }
        simulation.note("has ended in order");
    }

    /** Closes its loop, as another thread does, or its handler. */
    void close() {
        Runnable close = closing;
        if (close != null && !isDead) {
            simulation.note(this + " is to close");
            closing = null;
            close.run();
        }
    }

    /** Dies: nothing of it runs any more. */
    void die() {
        if (simulation.history().leases().holdsAny(this)) {
            simulation.visit(Branch.DIED_WITH_LEASE);
        }
        simulation.note("dies");
        isDead = true;
        simulation.history().excuse(inHand);
        throw new Died();
    }

    private IdempotentConsumer<ConsumerRecord<String, String>> build(SimulatedConsumers.Clock clock) {
        var builder = KafkaRecords.<String, String>consumer(Simulation.CONSUMER)
                .messageId(record -> Optional.of(record.key()))
                .store(simulation.store())
                .level(simulation.level())
                .transactionPer(simulation.choices().below(3) == 1 ? TransactionPer.RECORD : TransactionPer.POLL)
                .failures(FailurePolicy.quarantineAfter(Simulation.ATTEMPTS))
                .quarantine(simulation.store().quarantine())
                .keepPayloads(false)
                .standStillAfter(Integer.MAX_VALUE)
                .chunk(
                        5 - simulation.choices().below(4),
                        CHUNK.dividedBy(1 + 400L * simulation.choices().below(2)))
                .lease(Simulation.LEASE)
                .listener(simulation.history()::told);
        if (simulation.isScoped()) {
            builder.scope(new SimulatedScope(simulation, entered -> scope = entered));
        }
        if (simulation.isKeyed()) {
            builder.keyOrder(record -> Optional.of(Producer.keyOf(record.key())));
        }
        if (simulation.choices().below(2) == 0) {
            SimulatedCache fresh = new SimulatedCache(simulation);
            cache = fresh;
            builder.cache(fresh);
        }
        return SimulatedConsumers.build(builder, clock);
    }

    private SimulatedConsumers.Clock clock() {
        return new SimulatedConsumers.Clock(
                simulation::nanos,
                bound -> simulation.choices().below((int) Math.min(bound, Integer.MAX_VALUE)),
                (interval, task) -> {
                    tick = task;
                    tickEvery = interval.toNanos();
                    tickNanos = simulation.nanos() + tickEvery;
                    return () -> tick = null;
                });
    }

    /** Checks that the handler runs in the scope of its message. A consumer that joins a transaction enters none. */
    void requireScope(ConsumerRecord<String, String> record) {
        Object wanted = SimulatedScope.tenant(record);
        if (scope != null && !isJoined && !scope.equals(wanted)) {
            throw simulation.baton().violated(record.key() + " is handled in the scope " + scope);
        }
    }

    /** Ends the schedule if all is done, and lets an operator forget or purge messages. */
    void beforePoll() {
        simulation.mayEnd();
        IdempotentConsumer<ConsumerRecord<String, String>> mine = consumer;
        if (mine == null) {
            return;
        }
        try {
            if (simulation.happens(Fault.FORGET)) {
                forget(mine);
            }
            if (simulation.happens(Fault.PURGE)) {
                simulation
                        .store()
                        .purge(
                                Duration.ofNanos(
                                        SECOND * (1 + simulation.choices().below(10))),
                                1 + simulation.choices().below(5));
            }
        } catch (TransientStoreException | IllegalStateException e) {
            simulation.note("the operator fails: " + e.getMessage());
        }
    }

    private void forget(IdempotentConsumer<?> mine) {
        List<String> ids = List.copyOf(simulation.producer().ids());
        String id = ids.get(simulation.choices().below(ids.size()));
        try {
            mine.forget(id);
        } catch (TransientStoreException e) {
            throw e;
        } catch (IdempotencyException e) {
            simulation.note(id + " is in quarantine, so the operator leaves it there");
            return;
        }
        SimulatedCache known = cache;
        if (known != null && known.knows(simulation.id(id))) {
            throw simulation.baton().violated(id + " is forgotten, and the cache of its process knows it");
        }
    }

    /** Renews the leases if it is time, on this thread: the library renews them under a lock that the verbs in question hold, too. */
    void mayRenew() {
        Runnable task = tick;
        if (task == null
                || verbs > 0
                || simulation.nanos() < tickNanos
                || simulation.choices().oneIn(4)) {
            return;
        }
        tickNanos = simulation.nanos() + tickEvery;
        task.run();
        if (isDead) {
            throw new Died();
        }
        simulation.baton().step();
    }

    /** Notes that a handler failed, to see halves of what failed. */
    void failed() {
        failedAmong = claimed;
    }

    /** Notes how many messages a claim had. */
    void claims(int count) {
        if (failedAmong > 1 && count <= failedAmong / 2) {
            simulation.visit(Branch.CHUNK_BISECTED);
        }
        failedAmong = 0;
        claimed = count;
    }
}

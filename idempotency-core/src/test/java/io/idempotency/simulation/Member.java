package io.idempotency.simulation;

import io.idempotency.BatchFailedException;
import io.idempotency.ConsistencyLevel;
import io.idempotency.DuplicateCache;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.SimulatedConsumers;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.kafka.SimulatedProcessors;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** A process: polls, handles and commits until it dies, and starts again. */
final class Member {

    private static final Duration POLL = Duration.ofMillis(500);

    private static final Duration CHUNK = Duration.ofSeconds(60);

    private final Simulation simulation;
    private final String name;

    /** How often it was started. */
    int life;
    /** How many verbs of the store that leases are locked for are under way. */
    int verbs;

    boolean isDead;
    /** What the handler was given: it may have changed it. */
    private final Set<Object> handed = Collections.newSetFromMap(new IdentityHashMap<>());
    /** Messages whose claims are committed and which have had no effect yet; only of use where the claim is committed first. */
    final Set<MessageId> inHand = new HashSet<>();

    SimulatedStore.@Nullable Running transaction;
    private @Nullable Runnable tick;
    private long tickNanos;
    private long tickEvery;
    private @Nullable SimulatedConsumer client;
    private int claimed;
    private int failedAmong;

    Member(Simulation simulation, String name) {
        this.simulation = simulation;
        this.name = name;
    }

    @Nullable
    SimulatedConsumer client() {
        return client;
    }

    /** Lives again and again. */
    void run() {
        while (true) {
            life++;
            isDead = false;
            verbs = 0;
            inHand.clear();
            transaction = null;
            tick = null;
            try {
                live();
            } catch (Died died) {
                simulation.note("is dead");
            }
            SimulatedConsumer mine = client;
            isDead = false;
            simulation.baton().sleep(1_000_000L * (1 + simulation.choices().below(300)));
            if (mine != null) {
                simulation.log().leave(mine);
            }
        }
    }

    private void live() {
        SimulatedConsumer mine = new SimulatedConsumer(simulation, name + "/" + life);
        client = mine;
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = consumer();
        try {
            RecordProcessor<String, String> processor = simulation.isBatch()
                    ? SimulatedProcessors.batches(consumer, this::handleAll, simulation::nanos)
                    : SimulatedProcessors.each(consumer, this::handle, simulation::nanos);
            mine.listener(SimulatedProcessors.listener(mine.kafka(), processor));
            while (true) {
                processor.process(mine.kafka(), mine.kafka().poll(processor.timeout(POLL)));
                simulation.mayEnd();
            }
        } finally {
            consumer.close();
        }
    }

    private IdempotentConsumer<ConsumerRecord<String, String>> consumer() {
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
        if (simulation.choices().below(2) == 0) {
            builder.cache(new Cache(simulation));
        }
        return SimulatedConsumers.build(
                builder,
                simulation::nanos,
                bound -> simulation.choices().below((int) Math.min(bound, Integer.MAX_VALUE)),
                (interval, task) -> {
                    tick = task;
                    tickEvery = interval.toNanos();
                    tickNanos = simulation.nanos() + tickEvery;
                    return () -> tick = null;
                });
    }

    /** Remembers in the memory of one process. */
    static final class Cache implements DuplicateCache {
        private final Simulation simulation;
        private final Map<MessageId, Known> known = new HashMap<>();

        Cache(Simulation simulation) {
            this.simulation = simulation;
            simulation.process().cache = this;
        }

        @Override
        public Optional<Known> find(MessageId id) {
            Known found = known.get(id);
            if (found != null) {
                simulation.visit(Branch.DUPLICATE_BY_CACHE);
            }
            return Optional.ofNullable(found);
        }

        @Override
        public void remember(MessageId id, Known seen) {
            known.put(id, seen);
        }

        @Override
        public void forget(MessageId id) {
            known.remove(id);
        }
    }

    @Nullable
    Cache cache;

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

    private void handle(ConsumerRecord<String, String> record, Claim claim) throws Exception {
        Delivery delivery = claim.delivery();
        if (!handed.add(record)) {
            throw simulation.baton().violated("the handler is given one object of " + delivery + " twice");
        }
        simulation.history().handles(delivery);
        simulation.note("handles " + delivery);
        if (client != null && !simulation.log().isOwner(client, record.partition())) {
            simulation.visit(Branch.ZOMBIE_HANDLED);
        }
        simulation.point("handler begins");
        if (simulation.isContended() && simulation.choices().oneIn(2)) {
            int first = simulation.choices().below(2);
            simulation.store().touch(first);
            simulation.point("between two rows");
            simulation.store().touch(1 - first);
        }
        if (!simulation.choices().oneIn(3)) {
            work(delivery);
            effect(delivery.id());
        } else {
            effect(delivery.id());
            work(delivery);
        }
        simulation.point("handler ends");
    }

    private void effect(MessageId id) {
        if (simulation.level() == ConsistencyLevel.STRONG && !simulation.isBroken(Broken.EFFECT_OUTSIDE_TRANSACTION)) {
            simulation.store().effect(id);
        } else {
            inHand.remove(id);
            simulation.history().effect(id);
        }
    }

    private void work(Delivery delivery) throws Exception {
        int slices = simulation.choices().below(3);
        for (int i = 0; i < slices; i++) {
            simulation.sleep(Simulation.LEASE.toNanos() / 4);
        }
        MessageId id = delivery.id();
        inHand.remove(id);
        if (simulation.isPoison(id) || simulation.happens(Fault.HANDLER_FAILS)) {
            simulation.note("fails at " + id.value());
            simulation.history().failed(id);
            failedAmong = claimed;
            if (simulation.isBroken(Broken.CLAIM_TAKEN_BACK_AFTER_FAILURE)) {
                simulation.store().takeBack(id);
            }
            throw new IllegalStateException("The handler failed at " + id.value());
        }
        if (simulation.happens(Fault.HANDLER_TRANSIENT)) {
            simulation.history().excuse(Set.of(id));
            throw new TransientStoreException("The handler failed for now");
        }
    }

    private void handleAll(List<ConsumerRecord<String, String>> records, List<Claim> claims) throws Exception {
        for (int i = 0; i < records.size(); i++) {
            try {
                handle(records.get(i), claims.get(i));
            } catch (IllegalStateException e) {
                if (simulation.isNaming()) {
                    simulation.visit(Branch.BATCH_NAMED);
                    throw new BatchFailedException(i, e);
                }
                throw e;
            }
        }
    }

    /** Notes how many messages a claim had, to see halves of what failed. */
    void claims(int count) {
        if (failedAmong > 1 && count <= failedAmong / 2) {
            simulation.visit(Branch.CHUNK_BISECTED);
        }
        failedAmong = 0;
        claimed = count;
    }
}

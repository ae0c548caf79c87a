package io.idempotency.simulation;

import io.idempotency.BatchFailedException;
import io.idempotency.ConsistencyLevel;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** The application's handler: writes an effect, works for a while, and fails, kills its process or commits its transaction where the seed says so. */
final class SimulatedHandler {

    private final Simulation simulation;
    private final Member process;
    /** What it was given: it may have changed it. */
    private final Set<Object> handed = Collections.newSetFromMap(new IdentityHashMap<>());

    SimulatedHandler(Simulation simulation, Member process) {
        this.simulation = simulation;
        this.process = process;
    }

    void handle(ConsumerRecord<String, String> record, Claim claim) throws Exception {
        Delivery delivery = claim.delivery();
        if (!handed.add(record)) {
            throw simulation.baton().violated("the handler is given one object of " + delivery + " twice");
        }
        process.requireScope(record);
        simulation.note("handles " + delivery);
        simulation.history().leases().handled(claim, process);
        SimulatedConsumer client = process.client();
        if (client != null && !simulation.group().isOwner(client, record.partition())) {
            simulation.visit(Branch.ZOMBIE_HANDLED);
        }
        simulation.point("handler begins");
        if (simulation.isContended() && simulation.choices().oneIn(2)) {
            int first = simulation.choices().below(2);
            simulation.store().touch(first);
            simulation.point("between two rows");
            simulation.store().touch(1 - first);
        }
        boolean isEffectFirst = simulation.choices().oneIn(3);
        if (isEffectFirst) {
            effect(claim);
        }
        mayCommitEarly();
        work(claim);
        if (!isEffectFirst) {
            effect(claim);
        }
        simulation.point("handler ends");
    }

    void handleAll(List<ConsumerRecord<String, String>> records, List<Claim> claims) throws Exception {
        for (int i = 0; i < records.size(); i++) {
            try {
                handle(records.get(i), claims.get(i));
            } catch (IllegalStateException e) {
                if (simulation.isNaming()) {
                    simulation.visit(Branch.BATCH_NAMED);
                    if (!simulation.isBroken(Broken.NAMED_FAILURE_TAKEN_FOR_ANY)) {
                        throw new BatchFailedException(i, e);
                    }
                } else {
                    claims.forEach(this::failedTogether);
                }
                throw e;
            } catch (TransientStoreException e) {
                claims.forEach(this::failedTogether);
                throw e;
            }
        }
    }

    private void failedTogether(Claim claim) {
        simulation.history().leases().failed(claim, process);
    }

    private void effect(Claim claim) {
        Delivery delivery = claim.delivery();
        if (simulation.level() == ConsistencyLevel.STRONG && !simulation.isBroken(Broken.EFFECT_OUTSIDE_TRANSACTION)) {
            simulation.store().effect(delivery);
        } else {
            process.inHand.remove(delivery.id());
            simulation.history().effect(delivery.id());
            simulation.history().leases().effect(claim, process);
        }
    }

    private void mayCommitEarly() {
        if (simulation.level() == ConsistencyLevel.STRONG
                && !process.isReplaying()
                && simulation.happens(Fault.HANDLER_COMMITS)) {
            simulation.store().transactions().commitEarly();
        }
    }

    private void work(Claim claim) throws Exception {
        MessageId id = claim.delivery().id();
        int slices = simulation.choices().below(3);
        for (int i = 0; i < slices; i++) {
            simulation.sleep(Simulation.LEASE.toNanos() / 4);
        }
        process.inHand.remove(id);
        if (simulation.kills(id)) {
            simulation.visit(Branch.KILLED_BY_MESSAGE);
            simulation.history().started(id);
            simulation.history().excuse(Set.of(id));
            process.die();
        }
        if (simulation.isPoison(id) || simulation.happens(Fault.HANDLER_FAILS)) {
            simulation.note("fails at " + id.value());
            simulation.history().failed(id);
            failedTogether(claim);
            if (!simulation.isBatch() || simulation.isNaming()) {
                simulation.history().started(id);
            }
            process.failed();
            if (simulation.isBroken(Broken.CLAIM_TAKEN_BACK_AFTER_FAILURE)) {
                simulation.store().takeBack(id);
            }
            throw new IllegalStateException("The handler failed at " + id.value());
        }
        if (simulation.happens(Fault.HANDLER_TRANSIENT)) {
            simulation.history().excuse(Set.of(id));
            failedTogether(claim);
            throw new TransientStoreException("The handler failed for now");
        }
    }
}

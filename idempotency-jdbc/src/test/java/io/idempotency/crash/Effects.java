package io.idempotency.crash;

import io.idempotency.BatchHandler;
import io.idempotency.ConsistencyLevel;
import io.idempotency.MessageHandler;
import io.idempotency.store.Claim;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** The handler of a life: writes down that it was called, has its effect, and halts or throws where its cell says so. */
final class Effects
        implements MessageHandler<ConsumerRecord<byte[], byte[]>>, BatchHandler<ConsumerRecord<byte[], byte[]>> {

    private final Cell cell;
    private final Halt halt;
    private final Ledger calls;
    private final Ledger effects;
    private boolean isTargetHandled;

    /**
     * @param calls on connections of its own, so that a call is seen whatever becomes of it
     * @param effects on the connection of the claim's transaction, where there is one
     */
    Effects(Cell cell, Halt halt, Ledger calls, Ledger effects) {
        this.cell = cell;
        this.halt = halt;
        this.calls = calls;
        this.effects = effects;
    }

    @Override
    public void handle(ConsumerRecord<byte[], byte[]> message, Claim claim) {
        String id = claim.delivery().id().value();
        begin(id);
        halt.at(CrashPoint.AFTER_EFFECT, id);
        halt.at(CrashPoint.DEADLY_POISON, id);
        if (cell.point() == CrashPoint.POISON && id.equals(Cell.TARGET)) {
            throw new IllegalStateException("Poison");
        }
        isTargetHandled |= id.equals(Cell.TARGET);
        if (cell.level() == ConsistencyLevel.AT_MOST_ONCE || cell.level() == ConsistencyLevel.NONE) {
            halt.at(CrashPoint.BEFORE_RECORDED, id);
        }
    }

    @Override
    public void handle(List<ConsumerRecord<byte[], byte[]>> messages, List<Claim> claims) {
        claims.forEach(claim -> begin(claim.delivery().id().value()));
    }

    private void begin(String id) {
        calls.call(cell.id(), id);
        halt.at(CrashPoint.IN_HANDLER, id);
        halt.at(CrashPoint.MIDDLE_OF_BATCH, id);
        effects.effect(cell.id(), id);
    }

    /** Halts before the commit of a transaction in which the message was handled. */
    void haltBeforeCommit() {
        if (isTargetHandled) {
            halt.at(CrashPoint.BEFORE_RECORDED, Cell.TARGET);
        }
    }
}

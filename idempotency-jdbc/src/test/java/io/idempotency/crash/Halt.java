package io.idempotency.crash;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import java.util.List;

/** Halts the process without any farewell when the message of a life passes the point of its cell. */
final class Halt {

    /** The exit code that tells a crash on purpose from any other. */
    static final int CODE = 66;

    private final Cell cell;
    private final int life;

    Halt(Cell cell, int life) {
        this.cell = cell;
        this.life = life;
    }

    void at(CrashPoint point, String message) {
        if (cell.point() == point && Cell.TARGET.equals(message) && point.isDeadlyIn(life)) {
            Runtime.getRuntime().halt(CODE);
        }
    }

    void atAny(CrashPoint point, List<Delivery> deliveries) {
        deliveries.forEach(delivery -> at(point, delivery.id().value()));
    }

    void atClaims(CrashPoint point, List<Claim> claims) {
        atAny(point, claims.stream().map(Claim::delivery).toList());
    }
}

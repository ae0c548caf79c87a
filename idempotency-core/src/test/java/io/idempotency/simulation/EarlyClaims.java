package io.idempotency.simulation;

import io.idempotency.store.MessageId;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Claims that somebody has committed before their proof: they count as leases until they are proved, given back or ended. */
final class EarlyClaims {

    /** Five minutes in the stores; here others do not wait that long. */
    private static final Duration LENGTH = Duration.ofSeconds(3);

    private final Wire wire;
    private final Map<MessageId, Early> claims = new HashMap<>();

    private record Early(RunningTransaction by, Instant until) {}

    EarlyClaims(Wire wire) {
        this.wire = wire;
    }

    void add(RunningTransaction running) {
        running.granted
                .keySet()
                .forEach(id -> claims.put(id, new Early(running, wire.now().plus(LENGTH))));
    }

    /** Returns the end of the claim that is in the way. */
    Optional<Instant> inTheWay(MessageId id, RunningTransaction own) {
        return Optional.ofNullable(claims.get(id))
                .filter(early -> early.by() != own && early.until().isAfter(wire.now()))
                .map(Early::until);
    }

    void end(RunningTransaction running) {
        claims.values().removeIf(early -> early.by() == running);
    }

    boolean forget(MessageId id) {
        return claims.remove(id) != null;
    }
}

package io.idempotency.testkit;

import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Runs the same operations on the store under test and a memory store, compares their answers, and logs them. */
final class ComparedStores {

    private final StoreContract contract;
    private final ClaimStore tested;
    private final MovableClock clock = MovableClock.create();
    private final MemoryStore reference = MemoryStore.builder().clock(clock).build();
    private final List<String> log = new ArrayList<>();

    /** A granted claim of each of the two stores. */
    record Pair(Claim reference, Claim tested) {

        Delivery delivery() {
            return reference.delivery();
        }

        Pair started() {
            return new Pair(reference.started(), tested.started());
        }
    }

    private static final class RolledBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    ComparedStores(StoreContract contract) {
        this.contract = contract;
        this.tested = contract.store();
    }

    boolean haveLeases() {
        return tested instanceof LeaseStore;
    }

    String log() {
        return String.join("\n", log);
    }

    /** Runs the work in a transaction of each store, and commits both if the work returns true. */
    boolean inTransaction(BooleanSupplier work) {
        log.add("begin");
        try {
            reference
                    .transactions()
                    .inTransaction(() -> tested.transactions().inTransaction(() -> {
                        if (!work.getAsBoolean()) {
                            throw new RolledBack();
                        }
                    }));
            log.add("commit");
            return true;
        } catch (RolledBack e) {
            log.add("rollback");
            return false;
        }
    }

    /** Asks both stores for claims, and returns the granted ones. */
    List<Pair> granted(String what, Function<ClaimStore, List<Claim>> verb) {
        tick();
        List<Claim> expected = verb.apply(reference);
        List<Claim> actual = verb.apply(tested);
        same(what, printed(expected), printed(actual));
        List<Pair> granted = new ArrayList<>();
        for (int i = 0; i < expected.size(); i++) {
            samePosition(what, expected.get(i).processed(), actual.get(i).processed());
            if (expected.get(i).isGranted()) {
                granted.add(new Pair(expected.get(i), actual.get(i)));
            }
        }
        return granted;
    }

    <T> T same(String what, Function<ClaimStore, T> verb) {
        tick();
        T expected = verb.apply(reference);
        same(what, expected, verb.apply(tested));
        return expected;
    }

    void samePosition(String what, Function<ClaimStore, Optional<Processed>> verb) {
        Optional<Processed> expected = verb.apply(reference);
        Optional<Processed> actual = verb.apply(tested);
        same(what, expected.isPresent(), actual.isPresent());
        samePosition(what, expected, actual);
    }

    /** Uses the claims that each store granted. Returns whether none was lost. */
    boolean owning(String what, List<Pair> pairs, BiConsumer<ClaimStore, List<Claim>> verb) {
        tick();
        List<Delivery> expected = lost(
                () -> verb.accept(reference, pairs.stream().map(Pair::reference).toList()));
        List<Delivery> actual =
                lost(() -> verb.accept(tested, pairs.stream().map(Pair::tested).toList()));
        same(what + " " + pairs.stream().map(pair -> name(pair.reference())).toList() + ", lost", expected, actual);
        return expected.isEmpty();
    }

    /** Lets time pass for both stores. Returns the leases as their owners then hold them. */
    List<Pair> passTime(Duration duration, List<Pair> leases) {
        log.add("pass " + duration);
        clock.pass(duration);
        contract.passTime(duration);
        return contract.movesStoredTimes()
                ? leases.stream()
                        .map(pair -> new Pair(
                                pair.reference(),
                                pair.tested().renewed(pair.tested().until().minus(duration))))
                        .toList()
                : leases;
    }

    /** Moves the clock of the reference, so that no two of its leases have the same end, as in a database. */
    private void tick() {
        clock.pass(Duration.ofMillis(1));
    }

    private static List<Delivery> lost(Runnable verb) {
        try {
            verb.run();
            return List.of();
        } catch (ClaimLostException e) {
            return e.lost().stream().map(Claim::delivery).toList();
        }
    }

    private void same(String what, Object expected, Object actual) {
        log.add(what + " → " + expected);
        if (!expected.equals(actual)) {
            throw new AssertionError("\n" + log() + "\nbut the store under test answered " + actual);
        }
    }

    private void samePosition(String what, Optional<Processed> expected, Optional<Processed> actual) {
        // A store need not know the position of every duplicate, but it must not name a wrong one.
        Optional<Position> position = actual.map(Processed::position);
        if (position.isPresent() && !position.equals(expected.map(Processed::position))) {
            same(what + ", position", expected.map(Processed::position), position);
        }
    }

    private static List<String> printed(List<Claim> claims) {
        return claims.stream()
                .map(claim -> name(claim) + " " + claim.status()
                        + (claim.isGranted() ? " attempt " + claim.attempt() + " starts " + claim.starts() : "")
                        + (claim.isLease() ? " leased" : ""))
                .toList();
    }

    static String name(Claim claim) {
        return claim.delivery().id().value() + "@" + claim.delivery().position().offset();
    }
}

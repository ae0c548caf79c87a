package io.idempotency.crash;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Halts a process when the replays of all cells of a point have come there. Never halts without a point. */
final class ReplayHalt {

    private final @Nullable ReplayPoint point;
    private final CountDownLatch cells;
    private final boolean areTurnsIgnored;
    private final ThreadLocal<String> taken = ThreadLocal.withInitial(() -> "");

    ReplayHalt(@Nullable ReplayPoint point) {
        this(point, false);
    }

    private ReplayHalt(@Nullable ReplayPoint point, boolean areTurnsIgnored) {
        this.point = point;
        this.areTurnsIgnored = areTurnsIgnored;
        this.cells = new CountDownLatch(point == null ? 1 : ReplayCell.at(point).size());
    }

    /** Returns one that never halts, in which every node has every turn, as if its handlers took longer than a turn. */
    static ReplayHalt withoutTurns() {
        return new ReplayHalt(null, true);
    }

    void at(ReplayPoint here, String message) {
        if (point == here && message.equals(ReplayCell.TARGET)) {
            cells.countDown();
            try {
                cells.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt(Halt.CODE);
        }
    }

    /** Fails the handler of a process that halts while it saves the failure. */
    void throwAt(String message) {
        if (point == ReplayPoint.SAVING_FAILURE && message.equals(ReplayCell.TARGET)) {
            throw new IllegalStateException("Poison");
        }
    }

    ClaimStore in(ClaimStore store) {
        return store instanceof LeaseStore leases ? in(LeaseStore.class, leases) : in(ClaimStore.class, store);
    }

    /** Returns the part, in whose calls the process halts. */
    <T> T in(Class<T> type, T part) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getName().equals("takeTurn") && areTurnsIgnored) {
                        return true;
                    }
                    try {
                        Object answer = method.invoke(part, arguments);
                        after(method.getName(), arguments);
                        return answer;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    @SuppressWarnings("unchecked")
    private void after(String verb, Object @Nullable [] arguments) {
        if (point == null || arguments == null) {
            return;
        }
        switch (verb) {
            case "take" -> {
                taken.set(((MessageId) arguments[0]).value());
                at(ReplayPoint.AFTER_TAKE, taken.get());
            }
            case "unquarantine" ->
                at(
                        ReplayPoint.AFTER_UNQUARANTINE,
                        ((Delivery) arguments[0]).id().value());
            case "claim", "lease" ->
                at(
                        ReplayPoint.AFTER_CLAIM,
                        ((List<Delivery>) arguments[0]).get(0).id().value());
            case "delete" -> at(ReplayPoint.AFTER_DELETE, ((MessageId) arguments[0]).value());
            case "count" -> at(ReplayPoint.BEFORE_COMMIT, taken.get());
            case "save" -> at(ReplayPoint.SAVING_FAILURE, taken.get());
            default -> {}
        }
    }
}

package io.idempotency.crash;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Stops a node at a point of a replay until its process halts. Without a point it lets the node go on, and tells when it has come to the target. */
final class ReplayHalt {

    /** What a process says when the replays of all cells of its point have come there. */
    static final String ALL_ARE_THERE = "all replays are at the point";

    private final @Nullable ReplayPoint point;
    private final boolean areTurnsIgnored;
    private final AtomicInteger coming;
    private final ThreadLocal<String> taken = ThreadLocal.withInitial(() -> "");
    private volatile boolean hasMetTarget;

    ReplayHalt(@Nullable ReplayPoint point) {
        this(point, false);
    }

    private ReplayHalt(@Nullable ReplayPoint point, boolean areTurnsIgnored) {
        this.point = point;
        this.areTurnsIgnored = areTurnsIgnored;
        this.coming = new AtomicInteger(point == null ? 1 : ReplayCell.at(point).size());
    }

    /** Returns one without a point, in which the node has every turn, as if its handlers took longer than a turn. */
    static ReplayHalt withoutTurns() {
        return new ReplayHalt(null, true);
    }

    void at(ReplayPoint here, String message) {
        if (point == here && message.equals(ReplayCell.TARGET)) {
            if (coming.decrementAndGet() == 0) {
                System.out.println(ALL_ARE_THERE);
            }
            // The process halts while it waits here.
            new Semaphore(0).acquireUninterruptibly();
        }
    }

    /** Halts the process if all its replays have come to the point. */
    void now() {
        if (coming.get() == 0) {
            Runtime.getRuntime().halt(Halt.CODE);
        }
    }

    /** Returns whether the node has asked for the target, or for a message behind it. */
    boolean hasMetTarget() {
        return hasMetTarget;
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
                    before(method.getName(), arguments);
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
    private void before(String verb, Object @Nullable [] arguments) {
        if (arguments == null) {
            return;
        }
        switch (verb) {
            case "take" -> meets(((MessageId) arguments[0]).value());
            case "claim", "lease" ->
                ((List<Delivery>) arguments[0])
                        .forEach(delivery -> meets(delivery.id().value()));
            default -> {}
        }
    }

    private void meets(String message) {
        hasMetTarget |= ReplayCell.MESSAGES.indexOf(message) >= ReplayCell.MESSAGES.indexOf(ReplayCell.TARGET);
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

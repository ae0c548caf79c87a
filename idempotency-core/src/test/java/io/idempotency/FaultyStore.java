package io.idempotency;

import io.idempotency.store.LeaseStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** A store that throws what a test wants, and notes what it was asked; all else is done by the store behind it. */
final class FaultyStore {

    /** Says what a verb throws, if anything. */
    @FunctionalInterface
    interface Fault {
        Optional<Throwable> of(String verb, Object[] arguments);
    }

    final List<String> verbs = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> leased = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> claimed = Collections.synchronizedList(new ArrayList<>());
    final AtomicBoolean isDead = new AtomicBoolean();
    final LeaseStore store;
    volatile Fault fault = (verb, arguments) -> Optional.empty();

    FaultyStore(LeaseStore behind) {
        this.store = (LeaseStore) Proxy.newProxyInstance(
                LeaseStore.class.getClassLoader(), new Class<?>[] {LeaseStore.class}, (proxy, method, given) -> {
                    Object[] arguments = given == null ? new Object[0] : given;
                    verbs.add(method.getName());
                    if (method.getName().equals("lease")) {
                        leased.add(((List<?>) arguments[0]).size());
                    }
                    if (method.getName().equals("claim")) {
                        claimed.add(((List<?>) arguments[0]).size());
                    }
                    if (isDead.get()) {
                        throw new IllegalStateException("The process is dead");
                    }
                    Optional<Throwable> thrown = fault.of(method.getName(), arguments);
                    if (thrown.isPresent()) {
                        throw thrown.get();
                    }
                    try {
                        return method.invoke(behind, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** From now on every call of the verb throws. */
    void fail(String failing, Throwable thrown) {
        fault = (verb, arguments) -> verb.equals(failing) ? Optional.of(thrown) : Optional.empty();
    }

    void mend() {
        fault = (verb, arguments) -> Optional.empty();
    }

    long count(String verb) {
        return verbs.stream().filter(verb::equals).count();
    }
}

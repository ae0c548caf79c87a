package io.idempotency;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** The chain of causes of a failure, from the outside in, each once. */
final class Causes {

    private Causes() {}

    static Iterable<Throwable> of(Throwable failure) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        java.util.List<Throwable> chain = new java.util.ArrayList<>();
        for (Throwable cause = failure; cause != null && seen.add(cause); cause = cause.getCause()) {
            chain.add(cause);
        }
        return chain;
    }
}

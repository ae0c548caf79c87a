package io.idempotency.micrometer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** The meters of one name, one for each value of a tag. Each is looked up in the registry when it is needed first, never again. Thread-safe. */
final class EnumMeters<E extends Enum<E>, T> {

    private final Function<E, T> lookUp;
    private final Map<E, T> meters = new ConcurrentHashMap<>();

    EnumMeters(Function<E, T> lookUp) {
        this.lookUp = lookUp;
    }

    T of(E value) {
        T known = meters.get(value);
        return known != null ? known : meters.computeIfAbsent(value, lookUp);
    }
}

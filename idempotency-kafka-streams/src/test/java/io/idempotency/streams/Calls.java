package io.idempotency.streams;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueStore;

/** Notes the calls of a store, and makes them fail or answer otherwise on demand. */
final class Calls {

    private final KeyValueStore<Bytes, byte[]> target;
    private final List<String> names = new ArrayList<>();
    private List<KeyValue<Bytes, byte[]>> lastBatch = List.of();
    private boolean isFailing;
    private boolean isTurned;

    /** What a batch fails with. */
    static final class Failing extends RuntimeException {

        private static final long serialVersionUID = 1;
    }

    Calls(KeyValueStore<Bytes, byte[]> target) {
        this.target = target;
    }

    /** Returns the store to call. */
    @SuppressWarnings("unchecked")
    KeyValueStore<Bytes, byte[]> store() {
        return (KeyValueStore<Bytes, byte[]>)
                Proxy.newProxyInstance(Calls.class.getClassLoader(), new Class<?>[] {KeyValueStore.class}, this::call);
    }

    @SuppressWarnings("unchecked")
    private Object call(Object proxy, Method method, Object[] arguments) throws Throwable {
        names.add(method.getName());
        if (method.getName().equals("putAll")) {
            if (isFailing) {
                throw new Failing();
            }
            lastBatch = List.copyOf((List<KeyValue<Bytes, byte[]>>) arguments[0]);
        }
        if (isTurned && method.getName().equals("range")) {
            return target.reverseRange((Bytes) arguments[0], (Bytes) arguments[1]);
        }
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    List<String> names() {
        return names;
    }

    /** Returns how often a method was called. */
    long count(String name) {
        return names.stream().filter(name::equals).count();
    }

    List<KeyValue<Bytes, byte[]>> lastBatch() {
        return lastBatch;
    }

    void fail() {
        isFailing = true;
    }

    /** Ranges begin at their end from now on. */
    void turnRanges() {
        isTurned = true;
    }

    void succeed() {
        isFailing = false;
    }
}

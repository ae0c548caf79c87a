package io.idempotency.testkit.faults;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Objects;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.jspecify.annotations.Nullable;

/** A consumer of a container. It holds records back, seeks and dies as the {@link SpringWire} says. */
final class SpringConsumer implements InvocationHandler {

    private final Consumer<?, ?> delegate;
    private final SpringWire wire;
    private boolean hasPolled;

    private SpringConsumer(Consumer<?, ?> delegate, SpringWire wire) {
        this.delegate = delegate;
        this.wire = wire;
    }

    @SuppressWarnings("unchecked")
    static <K, V> Consumer<K, V> of(Consumer<K, V> delegate, SpringWire wire) {
        return (Consumer<K, V>) FaultyConnection.proxy(Consumer.class, new SpringConsumer(delegate, wire));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws Throwable {
        switch (method.getName()) {
            case "poll" -> {
                return poll((Duration) Objects.requireNonNull(Objects.requireNonNull(arguments)[0]));
            }
            case "commitSync", "commitAsync" -> {
                Object offsets = arguments == null || arguments.length == 0 ? null : arguments[0];
                if (wire.commits(offsets)) {
                    FaultyConnection.call(delegate, method, arguments);
                    wire.committed(offsets);
                }
                return null;
            }
            case "close" -> {
                try {
                    return FaultyConnection.call(delegate, method, arguments);
                } finally {
                    wire.closed(this);
                }
            }
            default -> {}
        }
        return FaultyConnection.call(delegate, method, arguments);
    }

    private ConsumerRecords<?, ?> poll(Duration timeout) {
        if (!hasPolled) {
            hasPolled = true;
            wire.probe().lives();
        }
        wire.probe().requireAlive();
        wire.beforePoll(this, delegate);
        return wire.released(delegate.poll(SpringWire.shorter(timeout)), delegate);
    }
}

package io.idempotency;

import io.idempotency.store.MessageId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What the handler that runs on the calling thread was given: a message, or those of a batch. For code that is called by the handler, is not given
 * its message, and makes something of it that is to be the same when the message is handled again, such as the ids of what it sends. Confined to
 * its thread.
 */
public final class HandledMessages {

    private static final ThreadLocal<@Nullable HandledMessages> CURRENT = new ThreadLocal<>();

    private final @Nullable HandledMessages outer = CURRENT.get();
    private final List<? extends Item<?>> items;
    private int from;
    private int to;
    /** What a batch is asked for, by property and value: made once, for every output may ask. Most handlers do not ask. */
    private @Nullable Map<String, Map<Object, MessageId>> known;

    private @Nullable Map<Object, Integer> numbers;

    private HandledMessages(List<? extends Item<?>> items) {
        this.items = items;
        this.to = items.size();
    }

    /** Returns those of the innermost handler on the calling thread; empty if none runs. */
    public static Optional<HandledMessages> onThread() {
        return Optional.ofNullable(CURRENT.get());
    }

    static HandledMessages begin(List<? extends Item<?>> items) {
        HandledMessages handled = new HandledMessages(items);
        CURRENT.set(handled);
        return handled;
    }

    /** The handler is called for this message alone. */
    void only(int index) {
        from = index;
        to = index + 1;
        known = null;
    }

    void end() {
        if (outer == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(outer);
        }
    }

    /**
     * Returns the id of the message that has this value; of several the first one.
     *
     * @param property what the reader reads: one reader for one property
     */
    public Optional<MessageId> having(String property, Object value, Function<Object, ? extends Optional<?>> reader) {
        Map<String, Map<Object, MessageId>> by = known == null ? new HashMap<>() : known;
        known = by;
        return Optional.ofNullable(
                by.computeIfAbsent(property, name -> index(reader)).get(value));
    }

    private Map<Object, MessageId> index(Function<Object, ? extends Optional<?>> reader) {
        Map<Object, MessageId> index = new HashMap<>();
        for (Item<?> item : items.subList(from, to)) {
            reader.apply(item.message())
                    .ifPresent(value -> index.putIfAbsent(value, item.delivery().id()));
        }
        return index;
    }

    /** Returns the id of the message, if the handler was given one alone; empty if it has a batch of several. */
    public Optional<MessageId> single() {
        return to - from == 1 ? Optional.of(items.get(from).delivery().id()) : Optional.empty();
    }

    /** Returns 0 when it is asked for this thing for the first time while the handler runs, then 1, and so on. */
    public int nextNumber(Object thing) {
        Map<Object, Integer> counts = numbers == null ? new HashMap<>() : numbers;
        numbers = counts;
        return counts.merge(thing, 1, Integer::sum) - 1;
    }
}

package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.MessageId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gives access to the messages of the handler that runs on the calling thread. Code below the handler, which is not passed the message, can
 * derive from it what stays the same when the message is handled again, such as the ids of outputs. Confined to its thread.
 */
public final class HandledMessages {

    private static final ThreadLocal<@Nullable HandledMessages> CURRENT = new ThreadLocal<>();

    private final @Nullable HandledMessages outer = CURRENT.get();
    private final List<? extends Item<?>> items;
    private final List<Claim> claims;
    private int from;
    private int to;
    /** The ids of a batch by property and value: built once, because every output may ask, and only if one does. */
    private @Nullable Map<String, Map<Object, MessageId>> known;

    private @Nullable Map<Object, Integer> numbers;
    private @Nullable Map<Object, Object> attached;

    private HandledMessages(List<? extends Item<?>> items, List<Claim> claims) {
        this.items = items;
        this.claims = claims;
        this.to = items.size();
    }

    /** Returns the messages of the innermost handler on the calling thread; empty if no handler runs. */
    public static Optional<HandledMessages> onThread() {
        return Optional.ofNullable(CURRENT.get());
    }

    static HandledMessages begin(List<? extends Item<?>> items, List<Claim> claims) {
        HandledMessages handled = new HandledMessages(items, claims);
        CURRENT.set(handled);
        return handled;
    }

    /** Notes that the handler is called for this message alone. */
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
     * Returns the id of the first message with this value.
     *
     * @param property the name of the value that the reader reads; the same name always comes with the same reader
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

    /** Returns the id of the message if the handler has exactly one; empty for a batch of several. */
    public Optional<MessageId> single() {
        return to - from == 1 ? Optional.of(items.get(from).delivery().id()) : Optional.empty();
    }

    /** Returns the claim of the message if the handler has exactly one; empty for a batch of several. */
    public Optional<Claim> claim() {
        return to - from == 1 ? Optional.of(claims.get(from)) : Optional.empty();
    }

    /** Returns what was created for this key while the handler runs, or creates it. */
    public <T> T attached(Object key, Class<T> type, Supplier<T> creation) {
        Map<Object, Object> all = attached == null ? new HashMap<>() : attached;
        attached = all;
        return type.cast(all.computeIfAbsent(key, none -> creation.get()));
    }

    /** Counts the calls for this thing while the handler runs: returns 0 at the first call, then 1, and so on. */
    public int nextNumber(Object thing) {
        Map<Object, Integer> counts = numbers == null ? new HashMap<>() : numbers;
        numbers = counts;
        return counts.merge(thing, 1, Integer::sum) - 1;
    }
}

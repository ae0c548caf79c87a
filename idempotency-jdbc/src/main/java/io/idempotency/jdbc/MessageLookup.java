package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.StoredId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The deliveries of a call, with their keys in the table.
 *
 * @param keys the keys, in the order of the deliveries
 * @param arrivals each message once, with the position of its first delivery in the list, sorted by key
 */
record MessageLookup(List<Delivery> deliveries, List<MessageKey> keys, SortedMap<MessageKey, MessageArrival> arrivals) {

    static Set<String> namesIn(List<Delivery> deliveries) {
        Set<String> names = new HashSet<>();
        Delivery last = null;
        for (Delivery delivery : deliveries) {
            if (last == null || !Names.areOfOnePlace(last, delivery)) {
                last = delivery;
                names.add(delivery.id().consumer());
                if (!delivery.position().equals(Position.UNKNOWN)) {
                    names.add(delivery.position().stream());
                }
            }
        }
        return names;
    }

    /** @param isInAnyOrder whether messages of a consumer come in any order */
    static MessageLookup of(List<Delivery> deliveries, Map<String, Integer> numbers, Predicate<String> isInAnyOrder) {
        List<MessageKey> keys = new ArrayList<>(deliveries.size());
        SortedMap<MessageKey, MessageArrival> arrivals = new TreeMap<>();
        Delivery last = null;
        int consumer = 0;
        long place = 0;
        boolean isUnordered = false;
        for (Delivery delivery : deliveries) {
            if (last == null || !Names.areOfOnePlace(last, delivery)) {
                last = delivery;
                consumer = consumer(delivery, numbers);
                place = Names.place(delivery.position(), numbers);
                isUnordered = isInAnyOrder.test(delivery.id().consumer());
            }
            MessageKey key = new MessageKey(consumer, StoredId.of(delivery.id().value()));
            keys.add(key);
            long offset = delivery.position().offset();
            arrivals.putIfAbsent(
                    key, new MessageArrival(key, isUnordered ? MessageArrival.unordered(offset) : offset, place));
        }
        return new MessageLookup(deliveries, keys, arrivals);
    }

    private static int consumer(Delivery delivery, Map<String, Integer> numbers) {
        Integer consumer = numbers.get(delivery.id().consumer());
        if (consumer == null) {
            throw new IllegalStateException("No number for the consumer of " + delivery);
        }
        return consumer;
    }

    Collection<MessageArrival> all() {
        return arrivals.values();
    }
}

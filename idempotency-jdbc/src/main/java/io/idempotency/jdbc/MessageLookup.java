package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The deliveries of a call, with their keys in the table.
 *
 * @param keys the keys, in the order of the deliveries
 * @param arrivals each message once, with the position of its first delivery in the list, sorted by key
 */
record MessageLookup(List<Delivery> deliveries, List<MessageKey> keys, List<MessageArrival> arrivals) {

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

    static MessageLookup of(List<Delivery> deliveries, Map<String, Integer> numbers) {
        List<MessageKey> keys = new ArrayList<>(deliveries.size());
        MessageArrival[] sorted = new MessageArrival[deliveries.size()];
        Delivery last = null;
        int consumer = 0;
        long place = 0;
        for (int i = 0; i < sorted.length; i++) {
            Delivery delivery = deliveries.get(i);
            if (last == null || !Names.areOfOnePlace(last, delivery)) {
                consumer = consumer(delivery, numbers);
                place = Names.place(delivery.position(), numbers);
                last = delivery;
            }
            MessageKey key =
                    new MessageKey(consumer, MessageKey.idOf(delivery.id().value()));
            keys.add(key);
            sorted[i] = new MessageArrival(key, delivery.position().offset(), place);
        }
        // It keeps the order of equal ones. A tree took twice as long, for polls of new messages.
        Arrays.sort(sorted);
        return new MessageLookup(deliveries, keys, withoutCopies(sorted));
    }

    private static int consumer(Delivery delivery, Map<String, Integer> numbers) {
        Integer consumer = numbers.get(delivery.id().consumer());
        if (consumer == null) {
            throw new IllegalStateException("No number for the consumer of " + delivery);
        }
        return consumer;
    }

    private static List<MessageArrival> withoutCopies(MessageArrival[] sorted) {
        List<MessageArrival> once = new ArrayList<>(sorted.length);
        MessageArrival last = null;
        for (MessageArrival arrival : sorted) {
            if (last == null || !last.key().equals(arrival.key())) {
                once.add(arrival);
                last = arrival;
            }
        }
        return Collections.unmodifiableList(once);
    }

    /** Returns the message of a key. */
    MessageArrival arrival(MessageKey key) {
        return arrivals.get(Collections.binarySearch(arrivals, new MessageArrival(key, 0, 0)));
    }

    /** Returns the key of each message once, sorted. */
    List<MessageKey> sortedKeys() {
        return arrivals.stream().map(MessageArrival::key).toList();
    }
}

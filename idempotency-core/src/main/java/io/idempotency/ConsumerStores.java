package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.ConflictException;
import io.idempotency.store.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Finds the store of a consumer by what the stores remember, for operators who look at a database from outside of the application. Give it to {@link
 * Operations#of(Function, io.idempotency.store.QuarantineStore, java.util.Optional, io.idempotency.store.AuditStore)}. Immutable and thread-safe.
 */
public final class ConsumerStores implements Function<String, ClaimStore> {

    private final List<ClaimStore> stores;

    private ConsumerStores(List<ClaimStore> stores) {
        this.stores = stores;
    }

    /**
     * Returns the stores of a database, such as a table and journals.
     *
     * @param otherwise the store of a consumer that none of them remembers
     * @param others the other ones
     */
    public static ConsumerStores of(ClaimStore otherwise, ClaimStore... others) {
        List<ClaimStore> all = new ArrayList<>();
        all.add(otherwise);
        all.addAll(List.of(others));
        return new ConsumerStores(List.copyOf(all));
    }

    /**
     * Lists the consumers of which a store remembers something, or a retention, by name, each with these stores. Those of the library itself are left out. One
     * round trip for each store.
     */
    public SortedMap<String, List<ClaimStore>> all() {
        SortedMap<String, List<ClaimStore>> all = new TreeMap<>();
        for (ClaimStore store : stores) {
            for (String consumer : store.messages().consumers()) {
                if (!consumer.startsWith(IdempotentConsumerBuilder.RESERVED)) {
                    all.computeIfAbsent(consumer, name -> new ArrayList<>()).add(store);
                }
            }
        }
        return all;
    }

    /**
     * Returns the store that remembers a consumer. One round trip for each store.
     *
     * @throws ConflictException if several do, because the consumer has changed its store
     */
    @Override
    public ClaimStore apply(String consumer) {
        List<ClaimStore> found = all().getOrDefault(consumer, List.of());
        if (found.size() > 1) {
            throw new ConflictException(
                    "Consumer " + Printable.of(consumer) + " is remembered by " + found.size()
                            + " stores, because it has changed its store: say which one is meant, on the command line by --store");
        }
        return found.isEmpty() ? stores.get(0) : found.get(0);
    }
}

package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.NotFoundException;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineStore;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;

/** The consumers about which something is known. A verb that finds nothing asks whether its consumer has a wrong name. Thread-safe. */
record KnownConsumers(Function<String, ClaimStore> stores, QuarantineStore quarantine) {

    private static final int MOST_NAMED = 20;

    /** Refuses a consumer about which nothing is known, if a verb has found nothing. */
    void requireIf(boolean isNothing, String consumer) {
        if (isNothing) {
            require(consumer);
        }
    }

    /**
     * Refuses a consumer about which nothing is known. One or two round trips.
     *
     * @throws NotFoundException with the names of those that are known
     */
    void require(String consumer) {
        String asked;
        SortedSet<String> known;
        if (stores instanceof ConsumerStores several) {
            asked = "stores";
            known = new TreeSet<>(several.all().keySet());
        } else {
            ClaimStore store = stores.apply(consumer);
            asked = store.getClass().getSimpleName();
            known = new TreeSet<>(store.messages().consumers());
        }
        if (known.contains(consumer)) {
            return;
        }
        known.addAll(quarantine.totals().keySet());
        if (known.contains(consumer)) {
            return;
        }
        List<String> names = known.stream()
                .filter(name -> !name.startsWith(IdempotentConsumerBuilder.RESERVED))
                .map(Printable::of)
                .toList();
        throw new NotFoundException("Nothing is remembered of a consumer " + Printable.of(consumer)
                + " in the " + asked
                + ", and nothing of it is in quarantine. A consumer of another process is known from its first message on. Known here: "
                + (names.isEmpty() ? "none" : named(names)));
    }

    private static String named(List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(names.size(), MOST_NAMED)));
        return names.size() > MOST_NAMED ? first + " and " + (names.size() - MOST_NAMED) + " more" : first;
    }
}

package io.idempotency.spring.endpoint;

import io.idempotency.ConsistencyLevel;
import io.idempotency.ConsumerStores;
import io.idempotency.Standstill;
import io.idempotency.Standstills;
import io.idempotency.TransactionPer;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineTotal;
import io.idempotency.store.StoredMessages.Retained;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Puts together what is known of all consumers: of this instance, and of the others by the database. A few round trips, and one or two for each consumer.
 * Thread-safe.
 */
record Overviews(
        String instance,
        ConsumerStores stores,
        QuarantineStore quarantine,
        InstanceCounts instances,
        RunningConsumers running,
        Standstills standstills,
        OutboxVerbs outputs) {

    Answers.Overview overview() {
        SortedMap<String, List<ClaimStore>> remembered = stores.all();
        SortedMap<String, QuarantineTotal> totals = quarantine.totals();
        SortedSet<String> names = new TreeSet<>(remembered.keySet());
        names.addAll(totals.keySet());
        names.addAll(standstills.consumers());
        List<Standstill> standing = standstills.all();
        return new Answers.Overview(
                instance,
                names.stream()
                        .map(name ->
                                consumer(name, remembered.getOrDefault(name, List.of()), totals.get(name), standing))
                        .toList(),
                outputs.counts().orElse(null));
    }

    private Answers.Consumer consumer(
            String name, List<ClaimStore> others, @Nullable QuarantineTotal total, List<Standstill> standing) {
        Optional<InstanceCounts.Known> here = instances.find(name);
        Optional<ClaimStore> store =
                here.map(InstanceCounts.Known::store).or(() -> others.stream().findFirst());
        Optional<Retained> retained = store.flatMap(each -> retained(each, name));
        return new Answers.Consumer(
                name,
                here.map(each -> each.level().name()).orElse(null),
                store.map(Overviews::kind).orElse("none"),
                retained.flatMap(Retained::retention).orElse(null),
                retained.flatMap(Retained::since).orElse(null),
                total == null ? 0 : total.messages(),
                total == null ? null : total.oldest(),
                here.isPresent(),
                here.map(each -> transactionPer(name, each.level())).orElse(null),
                here.map(each -> each.counts().told()).orElse(null),
                here.map(each -> each.counts().ages()).orElse(null),
                standing.stream()
                        .filter(each -> each.consumer().equals(name))
                        .map(Overviews::standing)
                        .toList());
    }

    private static String kind(ClaimStore store) {
        if (store instanceof TableStore) {
            return "table";
        }
        if (store instanceof JournalStore) {
            return "journal";
        }
        return store instanceof MemoryStore ? "memory" : "other";
    }

    /** A store of the application's own may have no verbs for operators. */
    private static Optional<Retained> retained(ClaimStore store, String consumer) {
        try {
            return Optional.of(store.messages().retained(consumer));
        } catch (UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    private @Nullable String transactionPer(String consumer, ConsistencyLevel level) {
        return level == ConsistencyLevel.STRONG
                ? running.transactionPer(consumer).map(Overviews::name).orElse(null)
                : "none";
    }

    private static String name(TransactionPer per) {
        return per.name().toLowerCase(Locale.ROOT);
    }

    private static Answers.Standing standing(Standstill each) {
        return new Answers.Standing(
                each.partition(),
                each.position().toString(),
                each.id().value(),
                each.reason().tag(),
                each.why(),
                each.since(),
                each.reason().help(),
                each.isLasting());
    }
}

package io.idempotency.micrometer;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.OutboxTotal;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.JournalStatistics;
import io.idempotency.store.StoredMessages;
import io.idempotency.store.UnjudgedStatistics;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of docs/spring-boot.md has the meters of the registry, with all their tags and values, and no others. */
class DocumentedMetersTest {

    private static final Pattern ROW =
            Pattern.compile("^\\| `(idempotency\\.[a-z.]+)` \\|([^|]*)\\|([^|]*)\\|$", Pattern.MULTILINE);
    private static final Pattern CODE = Pattern.compile("`([a-z_]+)`");
    /** Tags whose values are named elsewhere: by the user, and in the table of levels. */
    private static final Set<String> NAMED_ELSEWHERE = Set.of("consumer", "level");

    private record Journal(
            long memoryBytes, long rememberedMessages, long archivedMessages, long catchUps, long reloads)
            implements JournalStatistics {}

    /** A store that forgets, as those in a database do. */
    private static ClaimStore judging() {
        ClassLoader loader = DocumentedMetersTest.class.getClassLoader();
        Object messages = Proxy.newProxyInstance(
                loader,
                new Class<?>[] {StoredMessages.class},
                (proxy, method, arguments) ->
                        new StoredMessages.Retained(Optional.of(Duration.ofDays(8)), Optional.of(Instant.EPOCH)));
        return (ClaimStore) Proxy.newProxyInstance(
                loader,
                new Class<?>[] {ClaimStore.class, UnjudgedStatistics.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "messages" -> messages;
                    case "now" -> Instant.now();
                    default -> 0L;
                });
    }

    /** An outbox in which nothing waits. */
    private static OutboxStore empty() {
        return (OutboxStore) Proxy.newProxyInstance(
                DocumentedMetersTest.class.getClassLoader(),
                new Class<?>[] {OutboxStore.class},
                (proxy, method, arguments) -> new OutboxTotal(0, Duration.ZERO, 0));
    }

    /** Returns the meters of all parts, without the gauges of buckets that this registry adds. */
    private static List<Meter.Id> registered() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        MemoryStore store = MemoryStore.create();
        IdempotencyMeters meters = IdempotencyMeters.of(registry).journals(new Journal(0, 0, 0, 0, 0));
        meters.onBuilt("billing", ConsistencyLevel.STRONG, false, judging());
        meters.onBuilt("billing", ConsistencyLevel.AT_LEAST_ONCE, false, judging());
        meters.onBuilt("mails", ConsistencyLevel.STRONG, true, store);
        for (String kind : List.of("table", "journal", "other")) {
            meters.onPurged(kind, 0, Duration.ZERO);
        }
        QuarantineMeters.of(registry, store, new MemoryQuarantine(store), () -> List.of("billing"))
                .horizons(consumer -> judging())
                .outbox(empty())
                .count();
        OutboxMeters.of(registry);
        return registry.getMeters().stream()
                .map(Meter::getId)
                .filter(id -> id.getTag("le") == null)
                .toList();
    }

    @Test
    void areThoseOfTheRegistry() throws IOException {
        Map<String, Set<String>> documented = new TreeMap<>();
        String page = Files.readString(Path.of("../docs/spring-boot.md"));
        String behind = page.substring(page.indexOf("## Meters and health"));
        Matcher row = ROW.matcher(behind.substring(0, behind.indexOf("### ")));
        while (row.find()) {
            documented.put(
                    row.group(1),
                    CODE.matcher(row.group(3))
                            .results()
                            .map(code -> code.group(1))
                            .collect(toSet()));
        }
        Map<String, Set<String>> registered = new TreeMap<>();
        for (Meter.Id id : registered()) {
            Set<String> tags = registered.computeIfAbsent(id.getName(), name -> new TreeSet<>());
            id.getTags().forEach(tag -> {
                tags.add(tag.getKey());
                if (!NAMED_ELSEWHERE.contains(tag.getKey())) {
                    tags.add(tag.getValue());
                }
            });
        }

        assertThat(documented).isEqualTo(registered);
    }

    /** A meter that nobody registers in the test above would be missed there. */
    @Test
    void areAllThatHaveAName() {
        Set<String> named = Stream.of(MeterNames.class.getDeclaredFields())
                .map(field -> {
                    try {
                        return (String) field.get(null);
                    } catch (IllegalAccessException e) {
                        throw new AssertionError(e);
                    }
                })
                .collect(toSet());

        assertThat(registered())
                .extracting(Meter.Id::getName)
                .hasSameElementsAs(named)
                .allMatch(name -> name.equals(name.toLowerCase(Locale.ROOT)));
    }
}

package io.idempotency.crash;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.MessageIds;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.ReplayRecords;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineSelection;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** 500 messages with seven poisonous ones come from Kafka, the handler is mended, and the seven are replayed. */
final class PoisonousBatch {

    private static final int MESSAGES = 500;
    private static final AtomicBoolean IS_MENDED = new AtomicBoolean();

    private static final Map<String, String> POISON = new TreeMap<>(Map.of(
            "p050", "wrong expression",
            "p100", "no number",
            "p150", "null value",
            "p200", "the other service did not answer",
            "p250", "java.lang.AssertionError",
            "p300", "java.lang.NullPointerException",
            "p350", "value too long"));

    /** Deserializes everything but one value. */
    public static final class Values implements Deserializer<String> {
        @Override
        public String deserialize(String topic, byte[] data) {
            String text = new String(data, UTF_8);
            if (!IS_MENDED.get() && text.equals("p100")) {
                throw new NumberFormatException("no number");
            }
            return text;
        }
    }

    private final DataSource dataSource;
    private final String name;
    private final ClaimStore store;
    private final Ledger effects;
    private final List<String> order = new CopyOnWriteArrayList<>();
    private final List<String> replayed = new CopyOnWriteArrayList<>();

    private PoisonousBatch(Servers servers, Cell.Kind kind) {
        this.dataSource = servers.dataSource();
        this.name = ("poison-" + kind + "-" + Cell.RUN).toLowerCase(Locale.ROOT);
        this.store = kind == Cell.Kind.TABLE
                ? TableStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build()
                : JournalStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build();
        this.effects = new Ledger(JdbcTransactions.on(dataSource).dataSource());
    }

    static void run(Servers servers, Cell.Kind kind) throws InterruptedException {
        new PoisonousBatch(servers, kind).run(servers);
    }

    private void run(Servers servers) throws InterruptedException {
        IS_MENDED.set(false);
        List<String> messages = IntStream.range(0, MESSAGES)
                .mapToObj(i -> String.format(Locale.ROOT, "p%03d", i))
                .toList();
        servers.send(name, messages);
        JdbcQuarantine quarantine = JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX);
        JdbcReplays replays = JdbcReplays.on(dataSource).tablePrefix(Ledger.PREFIX);
        PollLoop<String, String> loop = PollLoop.of(consumer(quarantine), (record, claim) -> handle(record))
                .properties(properties(servers))
                .topics(name)
                .pollTimeout(Duration.ofMillis(100))
                .replays(replays)
                .build();
        Thread polling = new Thread(loop, "polling");
        polling.start();
        try {
            await().atMost(Duration.ofMinutes(2)).until(() -> servers.isSettled(name, MESSAGES));
            List<String> sound =
                    messages.stream().filter(id -> !POISON.containsKey(id)).toList();
            assertThat(order).containsExactlyElementsOf(sound);
            assertThat(quarantined(quarantine)).hasSameSizeAs(POISON.keySet());
            POISON.forEach((id, failure) -> assertThat(quarantined(quarantine).get(id))
                    .as("failure of " + id)
                    .contains(failure));

            IS_MENDED.set(true);
            order.clear();
            var unused = replays.request(
                    ReplayRequest.of(QuarantineSelection.of(name)).id(name).perSecond(1_000));
            loop.wakeReplays();

            await().atMost(Duration.ofMinutes(2))
                    .until(() -> replays.find(name).orElseThrow().endedAt().isPresent());
            assertThat(order).containsExactlyElementsOf(POISON.keySet());
            assertThat(replayed).containsExactlyElementsOf(POISON.keySet());
            assertThat(quarantine.list(name, MESSAGES)).isEmpty();
            messages.forEach(id ->
                    assertThat(new Ledger(dataSource).effects(name, id)).as(id).isEqualTo(1));
        } finally {
            loop.close();
            polling.join();
        }
    }

    private IdempotentConsumer<ConsumerRecord<String, String>> consumer(JdbcQuarantine quarantine) {
        return KafkaRecords.<String, String>consumer(name)
                .store(store)
                .messageId(record -> {
                    if (!IS_MENDED.get() && record.value().equals("p050")) {
                        throw new IllegalArgumentException("wrong expression");
                    }
                    return MessageIds.defaults().messageId(record);
                })
                .failures(FailurePolicy.quarantineAfter(1))
                .quarantine(quarantine)
                .build();
    }

    private void handle(ConsumerRecord<String, String> record) throws TimeoutException {
        String id = record.value();
        if (!IS_MENDED.get()) {
            switch (id) {
                case "p150" -> effects.effect(name, null);
                case "p200" -> throw new TimeoutException("the other service did not answer");
                case "p250" -> throw new AssertionError("poison");
                case "p300" -> throw new NullPointerException("poison");
                case "p350" -> effects.effect(name, id.repeat(10));
                default -> {}
            }
        }
        effects.effect(name, id);
        store.transactions().afterCommit(() -> order.add(id));
        if (record.headers().lastHeader(ReplayRecords.HEADER) != null) {
            replayed.add(id);
        }
    }

    /** Returns the failure of each message in quarantine, by its value. */
    private Map<String, String> quarantined(JdbcQuarantine quarantine) {
        Map<String, String> failures = new TreeMap<>();
        quarantine.list(name, MESSAGES).forEach(id -> {
            var message = quarantine.find(id).orElseThrow().message();
            failures.put(
                    new String(requireNonNull(message.payload().value()), UTF_8),
                    message.failure().text());
        });
        return failures;
    }

    private Map<String, Object> properties(Servers servers) {
        return Map.of(
                "bootstrap.servers",
                servers.bootstrap(),
                "group.id",
                name,
                "auto.offset.reset",
                "earliest",
                "isolation.level",
                "read_committed",
                "key.deserializer",
                StringDeserializer.class,
                "value.deserializer",
                Values.class);
    }
}

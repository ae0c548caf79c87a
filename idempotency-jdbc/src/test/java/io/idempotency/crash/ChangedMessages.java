package io.idempotency.crash;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import io.idempotency.BatchFailedException;
import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.TransactionPer;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Observes messages that their handler changes, if others of the same poll fail. The handler does nothing for a message that it has changed
 * before, as with {@code order.setStatus("ACCEPT")}. The table of it for {@code docs/guarantees.md}.
 */
final class ChangedMessages {

    private static final Duration BACK_OFF = Duration.ofMillis(20);
    private static final String STATUS = "status";

    /** How messages are handed to their handler. */
    private enum Way {
        RECORD("one by one, a transaction each"),
        POLL("one by one, a transaction for the poll"),
        BATCH("as a batch"),
        NAMED("as a batch whose handler names the message that fails"),
        LEASED("as a batch, `AT_LEAST_ONCE`");

        private final String words;

        Way(String words) {
            this.words = words;
        }

        boolean isLeased() {
            return this == LEASED;
        }
    }

    private final Servers servers;
    private final DataSource dataSource;
    private final JdbcTemplate jdbc;

    private ChangedMessages(Servers servers) {
        this.servers = servers;
        this.dataSource = servers.dataSource();
        this.jdbc = new JdbcTemplate(JdbcTransactions.on(dataSource).dataSource());
    }

    /** Runs all cells, and returns the section of the page with the observations. */
    static String section(Servers servers) {
        ChangedMessages changed = new ChangedMessages(servers);
        changed.jdbc.execute("create table changed (number bigserial, cell text not null, message text not null)");
        StringBuilder table =
                new StringBuilder("| messages are handed over | table store | journal store |\n|---|---|---|");
        for (Way way : Way.values()) {
            table.append("\n| ").append(way.words).append(" | ");
            table.append(changed.seen(
                    way,
                    TableStore.builder(changed.dataSource)
                            .tablePrefix(Ledger.PREFIX)
                            .build(),
                    "table"));
            table.append(" | ");
            table.append(
                    way.isLeased()
                            ? "–"
                            : changed.seen(
                                    way,
                                    JournalStore.builder(changed.dataSource)
                                            .tablePrefix(Ledger.PREFIX)
                                            .build(),
                                    "journal"));
            table.append(" |");
        }
        return SECTION.replace("${table}", table);
    }

    private String seen(Way way, ClaimStore store, String kind) {
        String cell = "changed-" + kind + "-" + way.name().toLowerCase(Locale.ROOT);
        servers.send(cell, MESSAGES);
        Listener listener = new Listener(cell, way);
        IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer = KafkaRecords.<byte[], byte[]>consumer(cell)
                .level(way.isLeased() ? ConsistencyLevel.AT_LEAST_ONCE : ConsistencyLevel.STRONG)
                .transactionPer(way == Way.RECORD ? TransactionPer.RECORD : TransactionPer.POLL)
                .store(store)
                .failures(FailurePolicy.quarantineAfter(Cell.ATTEMPTS).backOff(BACK_OFF, BACK_OFF))
                .quarantine(JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX))
                .build();
        RecordProcessor<byte[], byte[]> processor = way == Way.RECORD || way == Way.POLL
                ? RecordProcessor.of(consumer, (record, claim) -> listener.accept(record))
                : RecordProcessor.batches(consumer, (records, claims) -> listener.acceptAll(records));
        try (PollLoop<byte[], byte[]> loop = PollLoop.of(processor)
                .properties(properties(cell))
                .topics(cell)
                .pollTimeout(Duration.ofMillis(200))
                .build()) {
            new Thread(loop, cell).start();
            await().atMost(Duration.ofMinutes(2)).until(() -> servers.isSettled(cell, MESSAGES.size()));
        }
        consumer.close();
        List<String> quarantined =
                JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX).list(cell, MESSAGES.size()).stream()
                        .map(MessageId::value)
                        .toList();
        return "effects **" + String.join(" ", effects(way, cell)) + "**, quarantined " + String.join(" ", quarantined);
    }

    /** Returns the effects in order. What is outside of the claim's transaction may repeat, and is not taken back. */
    private List<String> effects(Way way, String cell) {
        List<String> effects = new ArrayList<>(
                jdbc.queryForList("select message from changed where cell = ? order by number", String.class, cell));
        if (way.isLeased()) {
            effects.removeIf(message -> message.startsWith("bad"));
            return effects.stream().distinct().toList();
        }
        return effects;
    }

    private Map<String, Object> properties(String cell) {
        return Map.of(
                "bootstrap.servers",
                servers.bootstrap(),
                "group.id",
                cell,
                "auto.offset.reset",
                "earliest",
                "key.deserializer",
                ByteArrayDeserializer.class,
                "value.deserializer",
                ByteArrayDeserializer.class);
    }

    /** Does its work for a message that it has not changed yet. */
    private final class Listener {

        private final String cell;
        private final Way way;
        private final Set<String> failed = ConcurrentHashMap.newKeySet();

        Listener(String cell, Way way) {
            this.cell = cell;
            this.way = way;
        }

        void acceptAll(List<ConsumerRecord<byte[], byte[]>> records) throws BatchFailedException {
            for (int i = 0; i < records.size(); i++) {
                try {
                    accept(records.get(i));
                } catch (IllegalStateException e) {
                    if (way == Way.NAMED) {
                        throw new BatchFailedException(i, e);
                    }
                    throw e;
                }
            }
        }

        void accept(ConsumerRecord<byte[], byte[]> record) {
            if (record.headers().lastHeader(STATUS) != null) {
                return;
            }
            record.headers().add(STATUS, "ACCEPT".getBytes(UTF_8));
            String message = new String(record.value(), UTF_8);
            jdbc.update("insert into changed (cell, message) values (?, ?)", cell, message);
            if (message.startsWith("lock") && failed.add(message)) {
                throw new TransientStoreException("Deadlock");
            }
            if (message.startsWith("bad") || (message.startsWith("ill") && failed.add(message))) {
                throw new IllegalStateException(message);
            }
        }
    }

    private static final List<String> MESSAGES = List.of("a", "lock1", "b", "ill1", "c", "bad1", "d");

    private static final String SECTION = """
            ## Messages that their handler changes

            Some handlers change their message (`order.setStatus("ACCEPT")`) and do nothing if it is changed already. Such a handler must not get the same object again after a rollback. So no
            object is handed to a handler twice. After a failure the messages are read from Kafka again, and the suspect runs alone.

            [A test](${tests}ChangedMessages.java) runs such a handler with a broker and PostgreSQL. Seven messages arrive in one poll: `lock1` meets a deadlock once, `ill1` fails once, `bad1`
            fails always. If you give lists of objects to the plain API, give new objects after a `Stop`.

            ${table}""";
}

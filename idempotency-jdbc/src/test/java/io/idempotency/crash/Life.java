package io.idempotency.crash;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.MessageIds;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.store.ClaimStore;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.LoggerFactory;

/**
 * One life of a consuming process: a poll loop on the topic of a cell, with the store of the cell on the database that its environment names. It ends by the halt of its
 * cell, or in order when its standard input ends.
 */
public final class Life {

    private static final Duration LEASE = Duration.ofSeconds(2);
    private static final Duration BACK_OFF = Duration.ofMillis(20);

    private final Cell cell;
    private final Halt halt;
    private final String servers;
    private final DataSource dataSource;

    private Life(Cell cell, int life, String servers) {
        this.cell = cell;
        this.halt = new Halt(cell, life);
        this.servers = servers;
        this.dataSource = Database.named().dataSource();
    }

    /** The arguments that {@link #main} understands. */
    static List<String> arguments(Cell cell, int life, String servers) {
        return List.of(cell.level().name(), cell.point().name(), cell.store().name(), String.valueOf(life), servers);
    }

    /** Lives until it halts or its input ends. */
    public static void main(String[] args) throws IOException, InterruptedException {
        quieten();
        Cell cell =
                new Cell(ConsistencyLevel.valueOf(args[0]), CrashPoint.valueOf(args[1]), Cell.Kind.valueOf(args[2]));
        PollLoop<byte[], byte[]> loop = new Life(cell, Integer.parseInt(args[3]), args[4]).loop();
        runToTheEnd(loop);
    }

    /** Runs a loop on a thread of its own until the input of this process ends, then closes it. A loop that fails ends the process with 1. */
    static void runToTheEnd(PollLoop<?, ?> loop) throws IOException, InterruptedException {
        Thread polling = new Thread(loop, "polling");
        polling.setUncaughtExceptionHandler((thread, failure) -> {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
        });
        polling.start();
        while (System.in.read() >= 0) {
            // Nothing is said to it; only the end counts, and that also comes when the parent is gone.
        }
        loop.close();
        polling.join();
    }

    static void quieten() {
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
    }

    /** Moves into archives what earlier lives have left in journals, but the last two messages. */
    private JournalStore archived() {
        JournalStore store = JournalStore.builder(dataSource)
                .tablePrefix(Ledger.PREFIX)
                .archiveAfter(1)
                .build();
        try (Purger purger = Purger.of(store).build()) {
            purger.runOnce();
        }
        return store;
    }

    private PollLoop<byte[], byte[]> loop() {
        ClaimStore store = cell.store() == Cell.Kind.TABLE
                ? TableStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build()
                : archived();
        Ledger ofTransaction = new Ledger(JdbcTransactions.on(dataSource).dataSource());
        Effects effects = new Effects(cell, halt, new Ledger(dataSource), ofTransaction);
        IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer = consumer(store, effects);
        RecordProcessor<byte[], byte[]> processor = cell.point() == CrashPoint.MIDDLE_OF_BATCH
                ? RecordProcessor.batches(consumer, effects)
                : RecordProcessor.of(consumer, effects);
        return PollLoop.of(processor)
                .properties(properties())
                .topics(cell.id())
                .pollTimeout(Duration.ofMillis(200))
                .build();
    }

    private IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer(ClaimStore store, Effects effects) {
        return KafkaRecords.<byte[], byte[]>consumer(cell.id())
                .level(cell.level())
                .store(HaltingStore.of(store, halt))
                .transactions(work -> store.transactions().inTransaction(() -> {
                    work.run();
                    effects.haltBeforeCommit();
                }))
                .messageId(record -> {
                    var id = MessageIds.defaults().messageId(record);
                    if (cell.level() == ConsistencyLevel.NONE) {
                        halt.at(CrashPoint.BEFORE_CLAIM, id.orElseThrow());
                    }
                    return id;
                })
                .listener(consumption -> {
                    if (consumption.outcome() == Outcome.PROCESSED) {
                        halt.at(
                                CrashPoint.BEFORE_OFFSETS,
                                consumption.delivery().id().value());
                    }
                })
                .failures(FailurePolicy.quarantineAfter(Cell.ATTEMPTS).backOff(BACK_OFF, BACK_OFF))
                .quarantine(JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX))
                .lease(LEASE)
                .build();
    }

    /** The same static member in every life, so that the partition is back at once and no session has to time out. No metrics: a life is short. */
    private Map<String, Object> properties() {
        return Map.of(
                "bootstrap.servers",
                servers,
                "group.id",
                cell.id(),
                "group.instance.id",
                cell.id(),
                "auto.offset.reset",
                "earliest",
                "isolation.level",
                "read_committed",
                "metric.reporters",
                "",
                "enable.metrics.push",
                "false",
                "key.deserializer",
                ByteArrayDeserializer.class,
                "value.deserializer",
                ByteArrayDeserializer.class);
    }
}

package io.idempotency.crash;

import io.idempotency.IdempotentConsumer;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.PollLoopBuilder;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.store.Claim;
import io.idempotency.store.Transactions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/** One life of a process that gathers polls to batches. The first life halts at its point, in its second batch, or gathers without end. */
public final class GatherLife {

    enum Point {
        GATHERED("halts while it gathers"),
        IN_HANDLER("halts in the handler, after half of the effects"),
        BEFORE_COMMIT("halts before the commit"),
        COMMITTED("halts after the commit, before the offset commit"),
        CLOSED("is closed while it gathers"),
        STANDS_STILL("stands still while it gathers, until another has done all");

        final String title;

        Point(String title) {
            this.title = title;
        }

        boolean isDeadly() {
            return this != CLOSED && this != STANDS_STILL;
        }
    }

    static final String GATHERED_ALL = "has gathered all";

    private static final int BATCH = 14;

    private final Point point;
    private final boolean isFirst;
    private final int messages;
    private int batches;
    private int read;

    private GatherLife(Point point, boolean isFirst, int messages) {
        this.point = point;
        this.isFirst = isFirst;
        this.messages = messages;
    }

    /** The arguments that {@link #main} understands. */
    static List<String> arguments(String topic, Point point, int life, String servers, int messages) {
        return List.of(topic, point.name(), String.valueOf(life), servers, String.valueOf(messages));
    }

    /** Lives until it halts or its input ends. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Life.quieten();
        GatherLife life = new GatherLife(Point.valueOf(args[1]), "1".equals(args[2]), Integer.parseInt(args[4]));
        PollLoop<byte[], byte[]> loop = life.loop(args[0], args[3]);
        Life.runToTheEnd(loop);
    }

    private PollLoop<byte[], byte[]> loop(String topic, String servers) {
        TableStore store = TableStore.builder(Database.named().dataSource())
                .tablePrefix(Ledger.PREFIX)
                .build();
        Transactions transactions = store.transactions();
        Ledger ledger = new Ledger(((JdbcTransactions) transactions).dataSource());
        IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer = KafkaRecords.<byte[], byte[]>consumer(topic)
                .store(store)
                .chunk(1_000, Duration.ofSeconds(60))
                .transactions(work -> {
                    transactions.inTransaction(() -> {
                        work.run();
                        at(Point.BEFORE_COMMIT);
                    });
                    at(Point.COMMITTED);
                    batches++;
                })
                .build();
        RecordProcessor<byte[], byte[]> processor = RecordProcessor.batches(consumer, (records, claims) -> {
            for (int i = 0; i < claims.size(); i++) {
                if (i == claims.size() / 2) {
                    at(Point.IN_HANDLER);
                }
                ledger.effect(topic, id(claims.get(i)));
            }
        });
        PollLoopBuilder<byte[], byte[]> builder = PollLoop.of(processor)
                .properties(Map.of(
                        "bootstrap.servers",
                        servers,
                        "group.id",
                        topic,
                        "auto.offset.reset",
                        "earliest",
                        "session.timeout.ms",
                        "6000",
                        "heartbeat.interval.ms",
                        "1000",
                        "max.poll.records",
                        isFirst ? "7" : "4",
                        "key.deserializer",
                        ByteArrayDeserializer.class,
                        "value.deserializer",
                        Watched.class,
                        Watched.LIFE,
                        this))
                .topics(topic)
                .pollTimeout(Duration.ofMillis(200));
        return (isFirst && !point.isDeadly()
                        ? builder.gather(1_000, Duration.ofHours(1))
                        : builder.gather(isFirst ? BATCH : 10, Duration.ofSeconds(1)))
                .build();
    }

    private static String id(Claim claim) {
        return claim.delivery().id().value();
    }

    private void at(Point here) {
        if (isFirst && point == here && batches == 1) {
            Runtime.getRuntime().halt(Halt.CODE);
        }
    }

    private void polled(String message) {
        read++;
        if (message.equals("m" + (BATCH + 9))) {
            at(Point.GATHERED);
        }
        if (isFirst && read == messages) {
            System.out.println(GATHERED_ALL);
        }
    }

    /** Tells a life of each record that it polls. */
    public static final class Watched implements Deserializer<byte[]> {

        private static final String LIFE = "life";

        private @Nullable GatherLife life;

        @Override
        public void configure(Map<String, ?> configs, boolean isKey) {
            life = (GatherLife) configs.get(LIFE);
        }

        @Override
        public byte[] deserialize(String topic, byte[] value) {
            Objects.requireNonNull(life).polled(new String(value, StandardCharsets.UTF_8));
            return value;
        }
    }
}

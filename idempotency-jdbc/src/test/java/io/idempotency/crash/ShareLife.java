package io.idempotency.crash;

import io.idempotency.ConsistencyLevel;
import io.idempotency.IdempotentConsumer;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.ShareProcessor;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** A process with two members of a share group. The first one that has the target halts at its point, or whoever has it if that is poison. */
public final class ShareLife {

    enum Point {
        BEFORE_CLAIM("before the claim"),
        IN_HANDLER("after the claim, in the handler, before its effect"),
        BEFORE_COMMIT("after the handler, before the commit"),
        COMMITTED("after the commit, before the acknowledgment"),
        ACKNOWLEDGED("after the acknowledgment"),
        POISON("in the handler, at each delivery"),
        STANDS_STILL("does not halt: it stands still in the handler, behind its effect, until its lock has run out");

        final String title;

        Point(String title) {
            this.title = title;
        }
    }

    static final String TARGET = "m9";
    static final String HALTED = "halted";
    static final String GO = "go";
    static final String STANDS = "stands in the handler";
    static final String WAITS = "waits for the other";

    private final String topic;
    private final Point point;
    private final ConsistencyLevel level;
    private final String servers;
    private final DataSource direct = Database.named().dataSource();
    private final Ledger marks = new Ledger(direct);
    private final AtomicBoolean isEnding = new AtomicBoolean();
    private final AtomicBoolean isSettled = new AtomicBoolean();
    /** The message of the transaction on this thread. */
    private final ThreadLocal<@Nullable String> current = new ThreadLocal<>();

    private ShareLife(String topic, Point point, ConsistencyLevel level, String servers) {
        this.topic = topic;
        this.point = point;
        this.level = level;
        this.servers = servers;
    }

    /** The arguments that {@link #main} understands. */
    static List<String> arguments(String topic, Point point, ConsistencyLevel level, String servers) {
        return List.of(topic, point.name(), level.name(), servers);
    }

    /** Lives until it halts or its input ends. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Life.quieten();
        ShareLife life = new ShareLife(args[0], Point.valueOf(args[1]), ConsistencyLevel.valueOf(args[2]), args[3]);
        IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer = life.consumer();
        Thread first = new Thread(() -> life.member(consumer), "first");
        Thread second = new Thread(() -> life.member(consumer), "second");
        first.start();
        second.start();
        while (System.in.read() >= 0) {
            // The parent says nothing, and ends it by closing the input.
        }
        life.isEnding.set(true);
        first.join();
        second.join();
    }

    private IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer() {
        TableStore store = TableStore.builder(direct)
                .tablePrefix(Ledger.PREFIX)
                .claimTimeout(Duration.ofSeconds(1))
                .build();
        return KafkaRecords.<byte[], byte[]>consumer(topic)
                .store(halting(store))
                .level(level)
                .lease(Duration.ofSeconds(6))
                .quarantine(JdbcQuarantine.on(direct).tablePrefix(Ledger.PREFIX))
                .transactions(work -> {
                    current.remove();
                    store.transactions().inTransaction(() -> {
                        work.run();
                        at(Point.BEFORE_COMMIT, current.get());
                    });
                    at(Point.COMMITTED, current.get());
                })
                .listener(seen -> {
                    if (seen.delivery().id().value().equals(TARGET)
                            && !seen.outcome().isSettled()) {
                        System.out.println(WAITS);
                    }
                })
                .build();
    }

    private void member(IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer) {
        Ledger ledger = new Ledger(JdbcTransactions.on(direct).dataSource());
        Map<String, Object> properties = Map.of(
                "bootstrap.servers",
                servers,
                "group.id",
                topic,
                "key.deserializer",
                ByteArrayDeserializer.class,
                "value.deserializer",
                ByteArrayDeserializer.class);
        try (ShareProcessor<byte[], byte[]> processor = ShareProcessor.of(
                        consumer,
                        (record, claim) -> handle(ledger, new String(record.value(), StandardCharsets.UTF_8)),
                        properties);
                KafkaShareConsumer<byte[], byte[]> kafka =
                        new KafkaShareConsumer<>(ShareProcessor.consumer(properties))) {
            kafka.setAcknowledgementCommitCallback(this::acknowledged);
            kafka.subscribe(List.of(topic));
            while (!isEnding.get()) {
                processor.process(kafka, kafka.poll(Duration.ofMillis(200)));
            }
            // Tells of what was acknowledged last.
            kafka.commitSync();
            kafka.commitSync();
        }
    }

    private void handle(Ledger ledger, String message) throws InterruptedException {
        marks.call(topic, message);
        at(Point.IN_HANDLER, message);
        at(Point.POISON, message);
        current.set(message);
        ledger.effect(topic, message);
        if (level == ConsistencyLevel.AT_LEAST_ONCE) {
            at(Point.BEFORE_COMMIT, message);
        }
        if (point == Point.STANDS_STILL && isFirst(message)) {
            marks.call(topic, HALTED);
            System.out.println(STANDS);
            while (marks.calls(topic, GO) == 0) {
                Thread.sleep(50);
            }
        }
    }

    private void acknowledged(Map<TopicIdPartition, Set<Long>> offsets, @Nullable Exception failure) {
        // The offset of the target is its number. Renewals are told, too.
        if (isSettled.get() && failure == null && offsets.values().stream().anyMatch(some -> some.contains(9L))) {
            at(Point.ACKNOWLEDGED, TARGET);
        }
    }

    private void at(Point here, @Nullable String message) {
        if (message != null && point == here && TARGET.equals(message) && (point == Point.POISON || isFirst(message))) {
            marks.call(topic, HALTED);
            Runtime.getRuntime().halt(Halt.CODE);
        }
    }

    private boolean isFirst(String message) {
        return TARGET.equals(message) && marks.calls(topic, HALTED) == 0;
    }

    private LeaseStore halting(LeaseStore store) {
        return (LeaseStore) Proxy.newProxyInstance(
                ShareLife.class.getClassLoader(),
                new Class<?>[] {LeaseStore.class},
                (proxy, method, arguments) -> invoke(store, method, arguments));
    }

    @SuppressWarnings("unchecked")
    private @Nullable Object invoke(LeaseStore store, Method method, Object @Nullable [] arguments) throws Throwable {
        boolean isClaim = method.getName().equals("claim") || method.getName().equals("lease");
        if (isClaim && arguments != null) {
            ((List<Delivery>) arguments[0])
                    .forEach(each -> at(Point.BEFORE_CLAIM, each.id().value()));
        }
        try {
            Object result = method.invoke(store, arguments);
            if (method.getName().equals("complete") && arguments != null) {
                ((List<Claim>) arguments[0])
                        .forEach(claim ->
                                at(Point.COMMITTED, claim.delivery().id().value()));
            }
            return result;
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}

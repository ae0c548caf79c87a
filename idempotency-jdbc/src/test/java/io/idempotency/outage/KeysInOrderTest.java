package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.QuarantineSelection;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Of 100 keys, 5 % of the messages are poison, and the consumers die in the middle of their transactions. */
@Tag("rule-10.1")
@Tag("rule-10.6")
class KeysInOrderTest {

    private static final int KEYS = 100;
    private static final int CONSUMERS = 3;

    private final DataSource database =
            JdbcConnectionPool.create("jdbc:h2:mem:keys;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=10000", "sa", "");
    private final DataSource joined = JdbcTransactions.on(database).dataSource();
    private final JdbcQuarantine quarantine = JdbcQuarantine.on(database);
    private final JdbcReplays replays = JdbcReplays.on(database);
    private final String topic = Kafka.topic(CONSUMERS);
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicInteger deaths = new AtomicInteger(6);
    private final List<Running> running = new ArrayList<>();
    private volatile boolean isMended;

    private record Running(
            PollLoop<String, String> loop, IdempotentConsumer<ConsumerRecord<String, String>> consumer) {}

    @Test
    void eachKeyHasItsEffectsInOrder() throws SQLException {
        Schema.on(database).create();
        execute("create table effect (seq bigint auto_increment, record_key varchar(20), record_offset bigint)");
        int sent = send(0, 6);
        for (int i = 0; i < CONSUMERS; i++) {
            start();
        }
        until(() -> settled() == sent);
        assertThat(quarantine.list("billing", 1_000)).hasSizeGreaterThan(sent / 20);

        isMended = true;
        var unused = replays.request(
                ReplayRequest.of(QuarantineSelection.of("billing")).perSecond(10_000));
        int all = sent + send(6, 2);
        until(() -> effects().size() >= all && quarantine.list("billing", 1).isEmpty());
        running.forEach(one -> {
            one.loop().close();
            one.consumer().close();
        });

        assertThat(deaths.get()).isNegative();
        assertThat(effects()).hasSize(all);
        Map<String, Long> last = new HashMap<>();
        for (ConsumerRecord<String, String> effect : effects()) {
            Long before = last.put(effect.key(), effect.offset());
            assertThat(before == null ? -1 : before).as(effect.key()).isLessThan(effect.offset());
        }
    }

    private int send(int from, int count) {
        for (int round = from; round < from + count; round++) {
            for (int key = 0; key < KEYS; key++) {
                Kafka.sendByKey(topic, "k" + key, "k" + key + "-" + round);
            }
        }
        return count * KEYS;
    }

    private void start() {
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer("billing")
                .store(TableStore.on(database))
                .quarantine(quarantine)
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(Integer.MAX_VALUE)
                .keyOrder()
                .build();
        PollLoop<String, String> loop = PollLoop.of(consumer, (message, claim) -> handle(message))
                .properties(Map.of(
                        "bootstrap.servers",
                        Kafka.servers(),
                        "group.id",
                        topic,
                        "auto.offset.reset",
                        "earliest",
                        "isolation.level",
                        "read_committed",
                        "max.poll.records",
                        "20",
                        "key.deserializer",
                        StringDeserializer.class,
                        "value.deserializer",
                        StringDeserializer.class))
                .topics(topic)
                .replays(replays)
                .build();
        running.add(new Running(loop, consumer));
        Thread thread = new Thread(loop, "consumer-" + running.size());
        thread.setUncaughtExceptionHandler((dead, error) -> {});
        thread.start();
    }

    private void handle(ConsumerRecord<String, String> message) throws SQLException {
        if (!isMended && Math.floorMod(message.value().hashCode(), 20) == 7) {
            throw new IllegalArgumentException("poison");
        }
        try (Connection connection = joined.getConnection();
                PreparedStatement insert =
                        connection.prepareStatement("insert into effect (record_key, record_offset) values (?, ?)")) {
            insert.setString(1, message.key());
            insert.setLong(2, message.offset());
            insert.executeUpdate();
        }
        boolean isPolled = Thread.currentThread().getName().startsWith("consumer-");
        if (isPolled && calls.incrementAndGet() % 40 == 0 && deaths.getAndDecrement() > 0) {
            throw new InternalError("The process dies");
        }
    }

    private void until(java.util.concurrent.Callable<Boolean> condition) {
        eventually().until(() -> {
            for (Running one : List.copyOf(running)) {
                if (!one.loop().isRunning() && one.loop().failure().isPresent()) {
                    running.remove(one);
                    one.consumer().close();
                    start();
                }
            }
            return condition.call();
        });
    }

    private long settled() {
        return Kafka.committed(topic).values().stream()
                .mapToLong(offset -> offset)
                .sum();
    }

    private List<ConsumerRecord<String, String>> effects() throws SQLException {
        List<ConsumerRecord<String, String>> effects = new ArrayList<>();
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select record_key, record_offset from effect order by seq")) {
            while (row.next()) {
                effects.add(new ConsumerRecord<>(topic, 0, row.getLong(2), row.getString(1), ""));
            }
        }
        return effects;
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}

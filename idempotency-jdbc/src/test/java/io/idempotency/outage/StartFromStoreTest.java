package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.jdbc.JdbcOffsets;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.SettledRun;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Offsets are deleted, set back and set ahead; another group reads; both stores. */
@ExtendWith(LongOutage.class)
class StartFromStoreTest {

    private static final int PARTITIONS = 3;
    private static final int SOME = 40;

    enum Kind {
        TABLE {
            @Override
            ClaimStore on(DataSource data) {
                return TableStore.on(data);
            }
        },
        JOURNAL {
            @Override
            ClaimStore on(DataSource data) {
                return JournalStore.on(data);
            }
        };

        abstract ClaimStore on(DataSource data);
    }

    private final String consumer = Ledger.anyConsumer();
    private final Ledger ledger = Ledger.open(consumer, Postgres.shared().url(), 6);
    private final HikariDataSource pool = ledger.pool();
    private final JdbcOffsets offsets = JdbcOffsets.on(pool);
    private final String topic = Kafka.topic(PARTITIONS);
    private final AtomicInteger processed = new AtomicInteger();
    private final AtomicInteger duplicates = new AtomicInteger();
    private volatile @Nullable Gate gate;
    private String protocol = "classic";
    private int batches;

    @AfterEach
    void close() {
        ledger.close();
    }

    /** Sends a message to each of some offsets of each partition. Returns how many. */
    private int send() {
        batches++;
        for (int partition = 0; partition < PARTITIONS; partition++) {
            Kafka.send(topic, partition, consumer + "-" + batches, SOME);
        }
        return PARTITIONS * SOME;
    }

    private final class Running implements AutoCloseable {

        private final IdempotentConsumer<ConsumerRecord<String, String>> idempotent;
        private final PollLoop<String, String> loop;
        private final Thread thread;

        Running(Kind kind, String group, String reset, OffsetStore store) {
            idempotent = KafkaRecords.<String, String>consumer(consumer)
                    .store(kind.on(pool))
                    .listener(consumption ->
                            (consumption.outcome() == Outcome.DUPLICATE ? duplicates : processed).incrementAndGet())
                    .build();
            loop = PollLoop.of(idempotent, (message, claim) -> {
                        ledger.enter(message);
                        Gate here = gate;
                        if (here != null) {
                            here.pass();
                        }
                    })
                    .properties(Map.of(
                            "bootstrap.servers",
                            Kafka.servers(),
                            "group.id",
                            group,
                            "auto.offset.reset",
                            reset,
                            "group.protocol",
                            protocol,
                            "max.poll.records",
                            "20",
                            "fetch.max.wait.ms",
                            "100",
                            "key.deserializer",
                            StringDeserializer.class,
                            "value.deserializer",
                            StringDeserializer.class))
                    .topics(topic)
                    .startFrom(store)
                    .build();
            thread = new Thread(loop, "loop");
            thread.start();
        }

        @Override
        public void close() {
            loop.close();
            eventually().until(() -> !thread.isAlive());
            idempotent.close();
        }
    }

    private long effects() {
        return Postgres.shared().number("select count(*) from effect where consumer = '" + consumer + "'");
    }

    private long unique() {
        return Postgres.shared().number("select count(distinct id) from effect where consumer = '" + consumer + "'");
    }

    /** Runs a loop until every message is handled, and all that it has polled is settled. */
    private void run(Kind kind, String group, String reset, long expected) throws Exception {
        run(kind, group, reset, expected, offsets);
    }

    private void run(Kind kind, String group, String reset, long expected, OffsetStore store) throws Exception {
        processed.set(0);
        duplicates.set(0);
        try (Running running = new Running(kind, group, reset, store)) {
            eventually().until(() -> effects() >= expected && Kafka.lag(topic, PARTITIONS, group) == 0);
            assertThat(running.loop.failure()).isEmpty();
        }
        assertThat(effects()).isEqualTo(expected);
        assertThat(unique()).isEqualTo(expected);
    }

    private void assertNothingIsPolledAgain(int handled) {
        assertThat(processed).hasValue(handled);
        assertThat(duplicates).hasValue(0);
    }

    @ParameterizedTest
    @CsvSource({"TABLE,earliest", "TABLE,latest", "JOURNAL,earliest", "JOURNAL,latest"})
    @Tag("rule-16.1")
    void goesOnBehindWhatIsSettledIfTheOffsetsAreGone(Kind kind, String reset) throws Exception {
        int first = send();
        run(kind, consumer, "earliest", first);
        Kafka.deleteGroup(consumer);
        int second = send();

        run(kind, consumer, reset, first + second);

        assertNothingIsPolledAgain(second);
    }

    /** The consumer of the protocol with that name looks for committed offsets on a thread of its own. */
    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    @Tag("rule-16.1")
    void goesOnBehindWhatIsSettledUnderNone(String groupProtocol) throws Exception {
        int first = send();
        run(Kind.TABLE, consumer, "earliest", first);
        protocol = groupProtocol;
        for (int round = 1; round <= 5; round++) {
            Kafka.deleteGroup(consumer);
            int more = send();
            run(Kind.TABLE, consumer, "none", first + (long) round * more);
            assertNothingIsPolledAgain(more);
        }
    }

    @ParameterizedTest
    @CsvSource({"TABLE,earliest", "TABLE,latest", "JOURNAL,earliest", "JOURNAL,latest"})
    @Tag("rule-16.1")
    void goesOnBehindWhatIsSettledInAnotherGroup(Kind kind, String reset) throws Exception {
        int first = send();
        run(kind, consumer, "earliest", first);
        int second = send();

        run(kind, consumer + "-renamed", reset, first + second);

        assertNothingIsPolledAgain(second);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-16.1")
    void goesOnBehindWhatIsSettledIfTheOffsetsAreSetBack(Kind kind) throws Exception {
        int first = send();
        run(kind, consumer, "earliest", first);
        Kafka.setOffsets(consumer, topic, PARTITIONS, 5);
        int second = send();

        run(kind, consumer, "latest", first + second);

        assertNothingIsPolledAgain(second);
    }

    /** Otherwise a poll that fails would go back to where the offsets were set, and a lag would be seen that is none. */
    @Test
    @Tag("rule-16.1")
    void commitsTheOffsetAtWhichItBegins() throws Exception {
        int first = send();
        run(Kind.TABLE, consumer, "earliest", first);
        Kafka.setOffsets(consumer, topic, PARTITIONS, 5);

        run(Kind.TABLE, consumer, "earliest", first);

        assertNothingIsPolledAgain(0);
    }

    /** Who sets offsets ahead has records skipped. They are not counted as settled: set back, they are handled. */
    @ParameterizedTest
    @EnumSource
    @Tag("rule-16.2")
    void neverGoesPastAGap(Kind kind) throws Exception {
        int first = send();
        run(kind, consumer, "earliest", first);
        int skipped = send();
        Kafka.setOffsets(consumer, topic, PARTITIONS, 2 * SOME);
        int third = send();
        run(kind, consumer, "earliest", first + third);
        assertNothingIsPolledAgain(third);

        Kafka.setOffsets(consumer, topic, PARTITIONS, SOME);
        run(kind, consumer, "earliest", first + skipped + third);
        assertThat(processed).hasValue(skipped);

        Kafka.deleteGroup(consumer);
        int last = send();
        run(kind, consumer, "earliest", first + skipped + third + last);
        assertThat(processed).hasValue(last);
    }

    /** Kafka goes on at the end of the partition under {@code latest}, and leaves out what nobody has handled. */
    @ParameterizedTest
    @ValueSource(strings = {"latest", "earliest", "none"})
    @Tag("rule-16.8")
    void beginsAtTheFirstRecordIfTheBrokerHasDeletedTheOneBehindTheRun(String reset) throws Exception {
        int first = send();
        run(Kind.TABLE, consumer, "earliest", first);
        int second = send() - PARTITIONS * 5;
        Kafka.deleteBefore(topic, PARTITIONS, SOME + 5);

        run(Kind.TABLE, consumer, reset, first + second);

        assertNothingIsPolledAgain(second);
    }

    /** A running consumer goes to the end, too. The run may not lead there, or what lies in between could not be handled any more. */
    @Test
    @Tag("rule-16.8")
    void beginsANewRunIfTheBrokerDeletesWhatARunningLoopComesTo() throws Exception {
        int sent = send();
        run(Kind.TABLE, consumer, "earliest", sent);
        Gate held = new Gate();
        try (Running running = new Running(Kind.TABLE, consumer, "latest", offsets)) {
            gate = held;
            Kafka.send(topic, 0, consumer + "-held");
            held.awaitArrival();
            // A fetch that is under way would bring the next records.
            new Gate().stay(Duration.ofSeconds(1));
            sent += 1 + send();
            Kafka.deleteBefore(topic, PARTITIONS, SOME + 20);
            sent -= PARTITIONS * 20 - 1;
            held.open();
            int before = sent;
            AtomicInteger probes = new AtomicInteger();
            eventually().until(() -> {
                Kafka.send(topic, 0, consumer + "-probe-" + probes.incrementAndGet());
                return Postgres.shared()
                                .number("select count(*) from effect where consumer = '" + consumer
                                        + "' and id like '%-probe-%'")
                        > 0;
            });
            sent = before + probes.get();
            assertThat(running.loop.isRunning()).isTrue();
        }
        assertThat(unique()).as("handled, with records left out").isLessThan(sent);
        Kafka.setOffsets(consumer, topic, PARTITIONS, SOME + 20);

        int all = sent;
        try (Running running = new Running(Kind.TABLE, consumer, "latest", offsets)) {
            eventually().until(() -> unique() >= all && Kafka.lag(topic, PARTITIONS, consumer) == 0);
            assertThat(running.loop.isRunning()).isTrue();
        }
        assertThat(unique()).isEqualTo(all);
        assertThat(effects()).isEqualTo(all);
    }

    @ParameterizedTest
    @ValueSource(strings = {"latest", "earliest"})
    @Tag("rule-16.3")
    void beginsATopicThatWasCreatedAgainAtItsBeginning(String reset) throws Exception {
        int first = send();
        run(Kind.TABLE, consumer, "earliest", first);
        Kafka.createAgain(topic, PARTITIONS);
        Kafka.deleteGroup(consumer);
        int second = send();

        run(Kind.TABLE, consumer, reset, first + second);

        assertNothingIsPolledAgain(second);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-16.4")
    void aForgottenMessageIsHandledAgainWhenTheOffsetsAreSetBack(Kind kind) throws Exception {
        int first = send();
        run(kind, consumer, "earliest", first);
        try (IdempotentConsumer<ConsumerRecord<String, String>> operator = KafkaRecords.<String, String>consumer(
                        consumer)
                .store(kind.on(pool))
                .build()) {
            assertThat(operator.forget(consumer + "-1-1-7")).isTrue();
        }
        assertThat(offsets.runs(consumer)).isEmpty();
        Kafka.setOffsets(consumer, topic, PARTITIONS, 0);

        processed.set(0);
        duplicates.set(0);
        try (Running running = new Running(kind, consumer, "latest", offsets)) {
            eventually().until(() -> effects() == first + 1 && Kafka.lag(topic, PARTITIONS, consumer) == 0);
            assertThat(running.loop.isRunning()).isTrue();
        }
        assertThat(processed).hasValue(1);
        assertThat(duplicates).hasValue(first - 1);
    }

    /** The loop may be running, and knows nothing of it. */
    @Test
    @Tag("rule-16.4")
    void aMessageThatIsForgottenBesideTheLoopIsHandledAgainWhenTheOffsetsAreSetBack() throws Exception {
        int first = send();
        int second;
        try (Running running = new Running(Kind.TABLE, consumer, "earliest", offsets)) {
            eventually()
                    .until(() -> effects() == first && !offsets.runs(consumer).isEmpty());
            assertThat(running.idempotent.forget(consumer + "-1-1-7")).isTrue();
            second = send();
            eventually().until(() -> effects() == first + second);
            eventually().until(() -> offsets.runs(consumer).size() == PARTITIONS);
        }
        assertThat(offsets.runs(consumer))
                .allSatisfy(run -> assertThat(run.begin()).isPositive());
        Kafka.setOffsets(consumer, topic, PARTITIONS, 0);

        try (Running running = new Running(Kind.TABLE, consumer, "latest", offsets)) {
            eventually().until(() -> effects() == first + second + 1 && Kafka.lag(topic, PARTITIONS, consumer) == 0);
            assertThat(running.loop.isRunning()).isTrue();
        }
    }

    /** Otherwise a message that is forgotten within the first second would belong to the run that is stored after it. */
    @Test
    @Tag("rule-16.4")
    void aRunIsStoredBeforeAnythingIsSettled() throws Exception {
        int first = send();
        AtomicInteger stored = new AtomicInteger(-1);
        OffsetStore watched = new OffsetStore() {
            @Override
            public List<SettledRun> runs(String name) {
                return offsets.runs(name);
            }

            @Override
            public List<SettledRun> store(String name, List<SettledRun> runs, long token) {
                stored.compareAndSet(
                        -1,
                        (int) runs.stream()
                                        .mapToLong(run -> run.end() - run.begin())
                                        .sum()
                                + processed.get());
                return offsets.store(name, runs, token);
            }
        };

        run(Kind.TABLE, consumer, "earliest", first, watched);

        assertThat(stored).as("settled and processed at the first store").hasValue(0);
    }

    /** A process that dies has committed offsets that are not stored yet. They have the mark of their run, so there is no gap. */
    @Test
    @Tag("rule-16.5")
    void whatWasCommittedBehindTheStoredRunBelongsToIt() throws Exception {
        int first = send();
        run(Kind.TABLE, consumer, "earliest", first);
        int second = send();
        run(Kind.TABLE, consumer, "earliest", first + second, new Dying(offsets));
        assertThat(offsets.runs(consumer))
                .allSatisfy(run -> assertThat(run.end()).isEqualTo(SOME));
        int third = send();
        run(Kind.TABLE, consumer, "earliest", first + second + third);
        assertNothingIsPolledAgain(third);
        assertThat(offsets.runs(consumer)).allSatisfy(run -> {
            assertThat(run.begin()).isZero();
            assertThat(run.end()).isEqualTo(3 * SOME);
        });
        Kafka.deleteGroup(consumer);
        int last = send();

        run(Kind.TABLE, consumer, "earliest", first + second + third + last);

        assertNothingIsPolledAgain(last);
    }

    /** Stores where it begins, and nothing later. */
    private record Dying(OffsetStore store) implements OffsetStore {

        @Override
        public List<SettledRun> runs(String consumer) {
            return store.runs(consumer);
        }

        @Override
        public List<SettledRun> store(String consumer, List<SettledRun> runs, long token) {
            if (runs.stream().anyMatch(run -> run.end() > SOME)) {
                throw new IllegalStateException("died, as planned");
            }
            return store.store(consumer, runs, token);
        }
    }

    /** To begin anywhere else could skip what nobody has handled: here, what came since. */
    @ParameterizedTest
    @ValueSource(strings = {"latest", "none", "earliest"})
    @Tag("rule-16.6")
    void waitsWhileTheStoreCannotBeRead(String reset) throws Exception {
        int first = send();
        run(Kind.TABLE, consumer, "earliest", first);
        Kafka.deleteGroup(consumer);
        int second = send();

        run(Kind.TABLE, consumer, reset, first + second, new Away(offsets, new AtomicInteger(3)));

        assertNothingIsPolledAgain(second);
    }

    /** The position that a waiting partition has meanwhile does not count. */
    @Test
    @Tag("rule-16.6")
    void beginsAtTheCommittedOffsetWhenTheStoreIsBack() throws Exception {
        int first = send();
        run(Kind.TABLE, consumer, "earliest", first);
        int unused = send();
        Kafka.setOffsets(consumer, topic, PARTITIONS, 2 * SOME);
        int third = send();

        run(Kind.TABLE, consumer, "none", first + third, new Away(offsets, new AtomicInteger(3)));

        assertNothingIsPolledAgain(third);
    }

    /** Is away for some reads. */
    private record Away(OffsetStore store, AtomicInteger times) implements OffsetStore {

        @Override
        public List<SettledRun> runs(String consumer) {
            if (times.decrementAndGet() >= 0) {
                throw new TransientStoreException("away, as planned", new IllegalStateException());
            }
            return store.runs(consumer);
        }

        @Override
        public List<SettledRun> store(String consumer, List<SettledRun> runs, long token) {
            return store.store(consumer, runs, token);
        }
    }

    @Test
    void endsWithoutAnyOffsetIfThatIsAsked() {
        int unused = send();
        try (Running running = new Running(Kind.TABLE, consumer, "none", offsets)) {
            eventually()
                    .dontCatchUncaughtExceptions()
                    .until(() -> running.loop.failure().isPresent());
            assertThat(running.loop.failure().get()).isInstanceOf(NoOffsetForPartitionException.class);
        }
    }

    @Test
    void refusesAShadowConsumer() {
        IdempotentConsumer<ConsumerRecord<String, String>> shadow = KafkaRecords.<String, String>consumer(consumer)
                .store(TableStore.on(pool))
                .shadow()
                .build();
        assertThatThrownBy(() -> PollLoop.of(shadow, (message, claim) -> {})
                        .properties(Map.of("group.id", "g"))
                        .topics(topic)
                        .startFrom(offsets)
                        .build())
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("shadow");
        shadow.close();
    }
}

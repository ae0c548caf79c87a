package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.BatchResult;
import io.idempotency.ConsistencyLevel;
import io.idempotency.MessageScope;
import io.idempotency.Outcome;
import io.idempotency.memory.MemoryStore;
import io.idempotency.ranges.Range;
import io.idempotency.ranges.RangeGoneException;
import io.idempotency.ranges.RangeHandler;
import io.idempotency.ranges.RangeStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is written, and when an offset may be committed. */
class RangeBoundTest {

    private static final TopicPartition P0 = new TopicPartition("orders", 0);

    private final MemoryStore store = MemoryStore.create();
    private final List<Range> open = new CopyOnWriteArrayList<>();
    private final List<String> written = new ArrayList<>();
    private final List<ConsumerRecord<String, String>> log = new ArrayList<>();
    private int failing;
    private long end = 100;

    private final RangeStore ranges = new RangeStore() {
        @Override
        public void open(List<Range> opened) {
            store.transactions().afterCommit(() -> open.addAll(opened));
        }

        @Override
        public List<Range> open(String consumer) {
            return List.copyOf(open);
        }

        @Override
        public void done(Range range) {
            open.removeIf(each -> each.token().equals(range.token()));
        }
    };

    private RangeBound<String, String> bound() {
        RangeHandler<ConsumerRecord<String, String>> handler = (range, records) -> {
            if (failing > 0) {
                failing--;
                throw new IllegalStateException("the sink is away");
            }
            written.add(range.token().substring(0, 1)
                    + records.stream().map(ConsumerRecord::value).toList());
        };
        return new RangeBound<>(
                KafkaRecords.<String, String>consumer("load").store(store).build(),
                ranges,
                new RangeReread<>(this::kafka, Duration.ofMillis(300)),
                handler);
    }

    /** A topic with the records of the log. */
    private MockConsumer<String, String> kafka() {
        MockConsumer<String, String> kafka = new MockConsumer<>("none");
        kafka.updateEndOffsets(Map.of(P0, end));
        kafka.schedulePollTask(() -> {
            long begin = log.isEmpty() ? 0 : log.get(0).offset();
            kafka.updateBeginningOffsets(Map.of(P0, begin));
            log.stream().filter(record -> record.offset() >= kafka.position(P0)).forEach(kafka::addRecord);
        });
        return kafka;
    }

    private List<ConsumerRecord<String, String>> records(long from, long to) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        for (long offset = from; offset < to; offset++) {
            records.add(record(offset, "m" + offset));
        }
        return records;
    }

    private static ConsumerRecord<String, String> record(long offset, String id) {
        ConsumerRecord<String, String> record = new ConsumerRecord<>("orders", 0, offset, "k", id);
        record.headers().add(MessageIds.HEADER, id.getBytes(StandardCharsets.UTF_8));
        return record;
    }

    private List<String> contents() {
        return written.stream().map(text -> text.substring(1)).toList();
    }

    @Test
    @Tag("rule-13.1")
    void leavesOutDuplicatesAndResends() {
        RangeBound<String, String> bound = bound();
        assertThat(bound.consume(records(0, 3)).isSettled()).isTrue();
        List<ConsumerRecord<String, String>> next = new ArrayList<>(records(2, 5));
        next.add(record(5, "m0"));
        assertThat(bound.consume(next).isSettled()).isTrue();

        assertThat(contents()).containsExactly("[m0, m1, m2]", "[m3, m4]");
        assertThat(open).isEmpty();
    }

    @Test
    @Tag("rule-13.2")
    @Tag("rule-13.3")
    void writesTheSameRecordsWithTheSameTokenUntilTheSinkHasThem() {
        failing = 2;
        RangeBound<String, String> bound = bound();
        BatchResult first = bound.consume(records(0, 4));
        assertThat(first.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.index()).isZero();
            assertThat(stop.cause()).get().asString().contains("the sink is away");
            assertThat(stop.isCharged()).isFalse();
        });
        String token = open.get(0).token();
        assertThat(bound.consume(records(0, 4)).stops()).hasSize(1);

        // The next poll returns fewer records, so the rest is read again.
        log.addAll(records(0, 4));
        BatchResult last = bound.consume(records(0, 2));

        assertThat(last.isSettled()).isTrue();
        assertThat(last.outcomes()).containsOnly(Outcome.DUPLICATE);
        assertThat(written).containsExactly(token.charAt(0) + "[m0, m1, m2, m3]");
        assertThat(bound.consume(records(2, 6)).isSettled()).isTrue();
        assertThat(contents()).containsExactly("[m0, m1, m2, m3]", "[m4, m5]");
    }

    /** A former owner has recorded a range, and died. The order of the partition is kept. */
    @Test
    @Tag("rule-13.2")
    void writesTheRangeOfAFormerOwnerFirst() {
        log.addAll(records(0, 6));
        RangeBound<String, String> dead = bound();
        failing = 1;
        dead.consume(records(0, 3));

        assertThat(bound().consume(records(1, 5)).isSettled()).isTrue();

        assertThat(contents()).containsExactly("[m0, m1, m2]", "[m3, m4]");
    }

    @Test
    @Tag("rule-13.4")
    void writesNoPartOfARangeWhoseRecordsAreGoneOrOthers() {
        failing = 1;
        bound().consume(records(0, 3));
        log.addAll(records(0, 3));
        log.remove(1);
        assertThat(cause(bound().consume(records(3, 4)))).hasMessageContaining("only 2 of its records");

        log.clear();
        log.addAll(List.of(record(0, "m0"), record(1, "other"), record(2, "m2")));
        assertThat(cause(bound().consume(records(3, 4)))).hasMessageContaining("other ids are at its offsets");

        assertThat(written).isEmpty();
        ranges.done(open.get(0));
        assertThat(bound().consume(records(3, 4)).isSettled()).isTrue();
        assertThat(contents()).containsExactly("[m3]");
    }

    @Test
    @Tag("rule-13.4")
    void standsStillIfTheTopicEndsBeforeARange() {
        failing = 1;
        bound().consume(records(0, 3));
        end = 2;
        assertThat(cause(bound().consume(records(3, 4)))).hasMessageContaining("ends before its last record");
    }

    /** The retention was over before the sink was back, or somebody forgot the messages. */
    @Test
    @Tag("rule-13.1")
    void recordsNoRecordOfAnOpenRangeAgainIfItsMessageIsForgotten() {
        log.addAll(records(0, 4));
        failing = 1;
        bound().consume(records(0, 3));
        store.forget(new MessageId("load", "m1"));

        assertThat(bound().consume(records(0, 4)).isSettled()).isTrue();

        assertThat(contents()).containsExactly("[m0, m1, m2]", "[m3]");
    }

    /** Such as one that a replay has recorded: its offset was committed long ago. */
    @Test
    @Tag("rule-13.5")
    void writesOpenRangesThatNoRecordBringsBack() {
        log.addAll(records(0, 3));
        failing = 1;
        bound().consume(records(0, 3));
        RangeBound<String, String> next = bound();
        next.tend(Set.of(new TopicPartition("orders", 1)));
        assertThat(written).isEmpty();

        bound().tend(Set.of(P0));

        assertThat(contents()).containsExactly("[m0, m1, m2]");
        assertThat(open).isEmpty();
    }

    @Test
    void writesALongerRunInTwoRangesAndNothingOfARunFromTheBegin() {
        failing = 1;
        bound().consume(records(0, 3));
        log.addAll(records(0, 5));
        assertThat(bound().consume(records(0, 5)).isSettled()).isTrue();
        assertThat(bound().consume(records(0, 5)).isSettled()).isTrue();
        assertThat(contents()).containsExactly("[m0, m1, m2]", "[m3, m4]");
    }

    @Test
    void chargesNothingIfARangeCannotBeRecorded() {
        RangeStore broken = new RangeStore() {
            @Override
            public void open(List<Range> opened) {
                throw new IllegalStateException("no such table");
            }

            @Override
            public List<Range> open(String consumer) {
                return List.of();
            }

            @Override
            public void done(Range range) {}
        };
        RangeBound<String, String> bound = new RangeBound<>(
                KafkaRecords.<String, String>consumer("load").store(store).build(),
                broken,
                new RangeReread<>(this::kafka, Duration.ofSeconds(1)),
                (range, records) -> {});
        assertThat(bound.consume(records(0, 2)).stops())
                .allSatisfy(stop -> assertThat(stop.isCharged()).isFalse());
    }

    private static Throwable cause(BatchResult result) {
        Throwable cause = result.stops().get(0).cause().orElseThrow();
        assertThat(cause).isInstanceOf(RangeGoneException.class);
        return Objects.requireNonNull(cause);
    }

    @Test
    void waitsForKafkaIfItDoesNotAnswer() {
        failing = 1;
        bound().consume(records(0, 3));
        BatchResult result = bound().consume(records(3, 4));
        assertThat(result.stops().get(0).cause()).get().isInstanceOf(TransientStoreException.class);
        assertThat(written).isEmpty();
    }

    @Test
    void refusesLevelsWhoseClaimIsNotInATransaction() {
        assertThatThrownBy(() -> new RangeBound<>(
                        KafkaRecords.<String, String>consumer("load")
                                .store(store)
                                .level(ConsistencyLevel.AT_MOST_ONCE)
                                .build(),
                        ranges,
                        new RangeReread<>(this::kafka, Duration.ofSeconds(1)),
                        (range, records) -> {}))
                .hasMessageContaining("STRONG");
        assertThatThrownBy(() -> new RangeBound<>(
                        KafkaRecords.<String, String>consumer("load")
                                .store(store)
                                .scope(new Tenants())
                                .build(),
                        ranges,
                        new RangeReread<>(this::kafka, Duration.ofSeconds(1)),
                        (range, records) -> {}))
                .hasMessageContaining("scopes");
    }

    private static final class Tenants implements MessageScope<ConsumerRecord<String, String>> {

        @Override
        public Object of(ConsumerRecord<String, String> record) {
            return record.key();
        }

        @Override
        public Entered enter(Object scope) {
            return () -> {};
        }
    }
}

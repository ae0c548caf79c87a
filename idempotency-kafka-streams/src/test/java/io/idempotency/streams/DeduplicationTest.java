package io.idempotency.streams;

import static io.idempotency.kafka.MessageIds.header;
import static io.idempotency.kafka.MessageIds.key;
import static io.idempotency.kafka.MessageIds.value;
import static java.time.Duration.ofDays;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.Duplicate;
import io.idempotency.Duplicate.Kind;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeduplicationTest {

    private static final Duration DAY = ofDays(1);

    private final List<Duplicate> copies = new ArrayList<>();
    private final List<String> ids = new ArrayList<>();

    private Deduplication<String, String> ledger() {
        return Deduplication.<String, String>named("ledger").retention(DAY).listener(this::note);
    }

    private void note(Delivery delivery, Duplicate duplicate) {
        ids.add(delivery.id().value());
        copies.add(duplicate);
    }

    @ParameterizedTest
    @ValueSource(strings = {StreamsConfig.EXACTLY_ONCE_V2, StreamsConfig.AT_LEAST_ONCE})
    @Tag("rule-15.1")
    void forwardsTheFirstRecordOfAnIdOnly(String guarantee) {
        try (Bench bench = Bench.of(guarantee, ledger().supplier())) {
            bench.send("a", "1");
            bench.send("b", "2");
            bench.pass(ofHours(3));
            bench.send("a", "3");
            bench.send("b", "4");

            assertThat(bench.forwarded()).containsExactly("1", "2");
            assertThat(ids).containsExactly("a", "b");
            assertThat(copies)
                    .containsExactly(
                            new Duplicate(Kind.RESEND, new Position(Bench.IN, 0, 0), ofHours(3)),
                            new Duplicate(Kind.RESEND, new Position(Bench.IN, 0, 1), ofHours(3)));
        }
    }

    @Test
    void forwardsARecordAsItCame() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("a", "1", Bench.START.minusSeconds(5));

            assertThat(bench.records()).containsExactly(Bench.record("a", "1", Bench.START.minusSeconds(5)));
        }
    }

    @Test
    void countsCopiesInASensor() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("a", "1");
            bench.send("a", "2");
            bench.send("a", "3");

            assertThat(bench.driver().metrics().entrySet())
                    .filteredOn(each -> each.getKey().name().equals("copies-total"))
                    .singleElement()
                    .satisfies(each -> {
                        assertThat(each.getKey().tags()).containsEntry("deduplication-id", "ledger");
                        assertThat(each.getValue().metricValue()).isEqualTo(2.0);
                    });
        }
    }

    @Test
    @Tag("rule-15.2")
    void knowsTopicsWithTheSameOffsetsApart() {
        try (Bench bench = Bench.atLeastOnce(ledger())) {
            bench.send("a", "1");
            bench.input(Bench.OTHER).pipeInput(Bench.record("a", "2", Bench.START));

            assertThat(bench.forwarded()).containsExactly("1");
            assertThat(copies).extracting(Duplicate::first).containsExactly(new Position(Bench.IN, 0, 0));
        }
    }

    @Test
    @Tag("rule-15.3")
    void forgetsAnIdOnlyWhenBothClocksHaveGoneOnForTheRetention() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("a", "1");
            bench.send("far ahead", "2", Bench.START.plus(ofDays(40_000)));
            bench.send("a", "3");
            bench.pass(DAY.minusMillis(1));
            bench.send("a", "4");
            assertThat(bench.forwarded()).as("the stream time alone went on").containsExactly("1", "2");

            bench.pass(ofSeconds(1));
            bench.send("a", "5");
            assertThat(bench.forwarded()).as("both went on").containsExactly("5");
        }
    }

    /** Otherwise the store would grow for as long as the record is ahead. */
    @Test
    @Tag("rule-15.3")
    void forgetsIdsAsEverBehindARecordFarAhead() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("far ahead", "1", Bench.START.plus(ofDays(40_000)));
            bench.send("a", "2");
            bench.pass(DAY);
            bench.send("b", "3");
            for (int part = 0; part < 3; part++) {
                bench.pass(ofMinutes(1));
            }

            assertThat(bench.driver().getKeyValueStore("ledger").approximateNumEntries())
                    .as("b, the name of the topic, and the life of the task")
                    .isEqualTo(3);
            bench.send("a", "4");
            assertThat(bench.forwarded()).containsExactly("1", "2", "3", "4");
        }
    }

    @Test
    @Tag("rule-15.3")
    void forgetsNothingDuringALongDowntime() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("a", "1");
            bench.pass(ofDays(3));
            bench.send("a", "2", Bench.START.plus(ofMinutes(5)));

            assertThat(bench.forwarded()).containsExactly("1");
        }
    }

    @Test
    @Tag("rule-15.3")
    void forgetsNothingWhenARecordOfTodayIsAmongOldOnes() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("a", "1", Bench.START.minus(ofDays(300)));
            bench.send("today", "2", Bench.START);
            bench.send("a", "3", Bench.START.minus(ofDays(300)));

            assertThat(bench.forwarded()).containsExactly("1", "2");
        }
    }

    @Test
    @Tag("rule-15.3")
    void remembersALateRecordAsLongAsAnyOther() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("now", "1");
            bench.send("late", "2", Bench.START.minus(ofDays(5)));
            bench.pass(ofHours(23));
            bench.send("later", "3");
            bench.send("late", "4", Bench.START.minus(ofDays(5)));

            assertThat(bench.forwarded()).containsExactly("1", "2", "3");
        }
    }

    /** The windowed store by stream time, as it stands in tutorials, doubles here. */
    @Test
    void aWindowByStreamTimeAloneDoubles() {
        try (Bench bench = Bench.of(StreamsConfig.EXACTLY_ONCE_V2, Handwritten.byStreamTime(DAY))) {
            bench.send("a", "1");
            bench.send("far ahead", "2", Bench.START.plus(ofDays(40_000)));
            bench.send("a", "3");

            assertThat(bench.forwarded()).containsExactly("1", "2", "3");
        }
    }

    @Test
    void deletesForgottenIdsFromTheStore() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            KeyValueStore<Object, Object> store = bench.driver().getKeyValueStore("ledger");
            IntStream.range(0, 5_000).forEach(i -> bench.send("id-" + i, "v"));
            assertThat(store.approximateNumEntries()).isEqualTo(5_002);

            bench.pass(DAY);
            bench.send("young", "v");
            for (int part = 0; part < 12; part++) {
                bench.pass(ofMinutes(1));
            }

            List<Object> left = new ArrayList<>();
            store.all().forEachRemaining(each -> left.add(each.key));
            assertThat(left)
                    .as("the young id, the name of the topic, and the life of the task")
                    .hasSize(3);
        }
    }

    @Test
    @Tag("rule-15.4")
    void recordsThatWereMadeOfOneShareItsFate() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(Bench.IN)
                .flatMapValues(value -> List.of(value + "x", value + "y", value + "z"))
                .processValues(ledger().supplier())
                .to(Bench.OUT);
        for (String guarantee : List.of(StreamsConfig.EXACTLY_ONCE_V2, StreamsConfig.AT_LEAST_ONCE)) {
            try (Bench bench = new Bench(guarantee, builder.build())) {
                bench.send("a", "1");
                bench.send("a", "2");
                bench.send("b", "3");
                bench.send("a", "4");

                assertThat(bench.forwarded()).as(guarantee).containsExactly("1x", "1y", "1z", "3x", "3y", "3z");
            }
        }
    }

    @Test
    void takesTombstonesAndRecordsWithoutKeys() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("a", null);
            bench.send("a", null);
            bench.input(Bench.IN)
                    .pipeInput(new org.apache.kafka.streams.test.TestRecord<>(
                            null, "no key", Bench.record("b", "", Bench.START).headers(), Bench.START));

            assertThat(bench.records()).extracting(each -> each.value()).containsExactly(null, "no key");
        }
    }

    @Test
    void readsTheIdWhereItIsTold() {
        try (Bench bench = Bench.exactlyOnce(ledger().messageId(header("other").orElse(value(v -> v))))) {
            bench.send("a", "1");
            bench.send("b", "1");

            assertThat(bench.forwarded()).containsExactly("1");
            assertThat(ids).containsExactly("~value:1");
        }
        try (Bench bench = Bench.exactlyOnce(ledger().messageId(key()))) {
            bench.send("a", "1");
            bench.send("b", "2");

            assertThat(bench.forwarded()).containsExactly("1");
        }
    }

    @Test
    @Tag("rule-15.5")
    void failsWithoutAnIdAndNamesTheRecord() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            bench.send("a", "1");

            assertThatThrownBy(() -> bench.input(Bench.IN).pipeInput("key", "2"))
                    .isInstanceOf(StreamsException.class)
                    .rootCause()
                    .isInstanceOf(InvalidMessageIdException.class)
                    .hasMessageContaining("payments-0@1");
        }
    }

    @Test
    @Tag("rule-15.5")
    void refusesAnIdThatCannotBeTold() {
        try (Bench bench = Bench.exactlyOnce(ledger())) {
            assertThatThrownBy(() -> bench.send("line\nbreak", "2"))
                    .rootCause()
                    .isInstanceOf(InvalidMessageIdException.class)
                    .hasMessageContaining("control character");
        }
    }

    @Test
    @Tag("rule-15.5")
    void forwardsOrDropsWithoutAnIdIfAsked() {
        List<Position> missing = new ArrayList<>();
        DeduplicationListener listener = new DeduplicationListener() {
            @Override
            public void onCopy(Delivery delivery, Duplicate duplicate) {
                note(delivery, duplicate);
            }

            @Override
            public void onMissingId(String name, Position position, InvalidMessageIdException reason) {
                missing.add(position);
            }
        };
        try (Bench bench = Bench.exactlyOnce(ledger().listener(listener).onMissingId(MissingId.FORWARD))) {
            bench.input(Bench.IN).pipeInput("key", "1");
            bench.input(Bench.IN).pipeInput("key", "1");
            assertThat(bench.forwarded()).containsExactly("1", "1");
        }
        try (Bench bench = Bench.exactlyOnce(ledger().listener(listener).onMissingId(MissingId.DROP))) {
            bench.input(Bench.IN).pipeInput("key", "1");
            bench.send("a", "2");
            assertThat(bench.forwarded()).containsExactly("2");
        }
        assertThat(missing)
                .containsExactly(
                        new Position(Bench.IN, 0, 0), new Position(Bench.IN, 0, 1), new Position(Bench.IN, 0, 0));
        assertThat(copies).isEmpty();
    }

    @Test
    void aListenerThatFailsChangesNothing() {
        try (Bench bench = Bench.exactlyOnce(ledger().listener((delivery, duplicate) -> {
            throw new IllegalStateException("on purpose");
        }))) {
            bench.send("a", "1");
            bench.send("a", "2");
            bench.send("b", "3");

            assertThat(bench.forwarded()).containsExactly("1", "3");
        }
    }

    @Test
    void marksCopiesSoThatTheStreamCanBeSplit() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(Bench.IN)
                .processValues(ledger().marking())
                .split()
                .branch(
                        (k, v) -> v.isCopy(),
                        Branched.withConsumer(
                                found -> found.mapValues(Checked::value).to("copies")))
                .defaultBranch(Branched.withConsumer(
                        first -> first.mapValues(Checked::value).to(Bench.OUT)));
        try (Bench bench = new Bench(StreamsConfig.EXACTLY_ONCE_V2, builder.build())) {
            bench.send("a", "1");
            bench.send("a", "2");
            bench.send("b", null);

            assertThat(bench.forwarded()).containsExactly("1", null);
            assertThat(bench.driver()
                            .createOutputTopic("copies", new StringDeserializer(), new StringDeserializer())
                            .readValuesToList())
                    .containsExactly("2");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {StreamsConfig.EXACTLY_ONCE_V2, StreamsConfig.AT_LEAST_ONCE})
    @Tag("rule-15.6")
    void refusesRecordsWithoutAPosition(String guarantee) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(Bench.IN)
                .processValues(Delayed::new)
                .processValues(ledger().supplier())
                .to(Bench.OUT);
        try (Bench bench = new Bench(guarantee, builder.build())) {
            bench.send("a", "1");

            assertThatThrownBy(() -> bench.pass(ofSeconds(1)))
                    .rootCause()
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("has no position");
        }
    }

    @Test
    @Tag("rule-15.7")
    void findsCopiesInOtherPartitionsBehindATopicInBetween() {
        StreamsBuilder builder = new StreamsBuilder();
        ledger().acrossPartitions(builder.stream(Bench.IN), Serdes.String(), Serdes.String())
                .to(Bench.OUT);
        try (Bench bench = new Bench(StreamsConfig.EXACTLY_ONCE_V2, builder.build())) {
            bench.send("a", "1");
            bench.input(Bench.IN)
                    .pipeInput(new org.apache.kafka.streams.test.TestRecord<>(
                            "another key",
                            "2",
                            Bench.record("a", "", Bench.START).headers(),
                            Bench.START));
            bench.send("b", "3");

            assertThat(bench.records())
                    .containsExactly(Bench.record("a", "1", Bench.START), Bench.record("b", "3", Bench.START));
            assertThat(copies).extracting(each -> each.first().stream()).containsExactly("bench-ledger-repartition");
        }
    }

    @Test
    @Tag("rule-15.7")
    void handlesMissingIdsInFrontOfTheTopicInBetween() {
        StreamsBuilder builder = new StreamsBuilder();
        ledger().onMissingId(MissingId.FORWARD)
                .acrossPartitions(builder.stream(Bench.IN), Serdes.String(), Serdes.String())
                .to(Bench.OUT);
        try (Bench bench = new Bench(StreamsConfig.EXACTLY_ONCE_V2, builder.build())) {
            bench.input(Bench.IN).pipeInput("key", "1");
            bench.input(Bench.IN).pipeInput("key", "1");
            bench.input(Bench.IN).pipeInput(null, "2", Bench.START);

            assertThat(bench.records())
                    .extracting(each -> each.key() + "=" + each.value())
                    .containsExactly("key=1", "key=1", "null=2");
        }
    }

    @Test
    void isStoredWhereItIsTold() {
        try (Bench bench = Bench.exactlyOnce(ledger().storedIn(Stores::inMemoryKeyValueStore))) {
            bench.send("a", "1");
            bench.send("a", "2");

            assertThat(bench.forwarded()).containsExactly("1");
            assertThat(bench.driver().getKeyValueStore("ledger").persistent()).isFalse();
        }
    }

    @Test
    void refusesStoresThatForgetOrThatAreRestoredOtherwise() {
        assertThatThrownBy(() -> ledger().storedIn(Stores::persistentTimestampedKeyValueStore)
                        .supplier()
                        .stores())
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("ledger");
        assertThatThrownBy(() -> ledger().storedIn(name -> Stores.lruMap(name, 10))
                        .supplier()
                        .stores())
                .isInstanceOf(IdempotencyException.class);
    }

    @Test
    void refusesARetentionBelowASecondAndANameThatCannotNameAStore() {
        assertThatThrownBy(() -> ledger().retention(Duration.ofMillis(999)))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("ledger");
        assertThatThrownBy(() -> ledger().retention(Duration.ofSeconds(Long.MAX_VALUE)))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("ledger");
        assertThatThrownBy(() -> Deduplication.named("a/b")).isInstanceOf(IdempotencyException.class);
    }

    /** Forwards records from a punctuator, as operators do that hold records back. */
    private static final class Delayed extends ContextualFixedKeyProcessor<String, String, String> {

        private final List<FixedKeyRecord<String, String>> held = new ArrayList<>();

        @Override
        public void init(FixedKeyProcessorContext<String, String> context) {
            super.init(context);
            context.schedule(ofSeconds(1), PunctuationType.WALL_CLOCK_TIME, now -> {
                held.forEach(context::forward);
                held.clear();
            });
        }

        @Override
        public void process(FixedKeyRecord<String, String> record) {
            held.add(record);
        }
    }
}

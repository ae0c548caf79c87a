package io.idempotency.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.kafka.MessageIds;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.LagInfo;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Applications on a real broker. Their deaths are in the demo. */
class ApplicationTest {

    @TempDir
    private Path folder;

    private static Deduplication<String, String> ledger() {
        return Deduplication.<String, String>named("ledger").retention(Duration.ofDays(1));
    }

    private static Topology topology(App app) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(app.in())
                .processValues(ledger().supplier())
                .to(app.out());
        return builder.build();
    }

    private static void sendSome(App app, String value) throws Exception {
        for (int i = 0; i < 20; i++) {
            app.send("key-" + i, "id-" + i, value + i);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {StreamsConfig.EXACTLY_ONCE_V2, StreamsConfig.AT_LEAST_ONCE})
    void restoresIdsThatAreOnNoDisk(String guarantee) throws Exception {
        Map<String, Object> guaranteed = Map.of(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        try (App app = new App(folder)) {
            KafkaStreams first = app.start("first", topology(app), guaranteed);
            sendSome(app, "a");
            assertThat(app.outputs()).hasSize(20);
            app.stop(first);

            app.start("elsewhere", topology(app), guaranteed);
            sendSome(app, "copy");
            app.send("key-1", "new", "new");

            assertThat(app.outputs()).hasSize(21).contains("new").noneMatch(value -> value.startsWith("copy"));
            assertThat(app.restored()).isGreaterThanOrEqualTo(20);
        }
    }

    /** A table with a cache forwards a result at the position of the last record before the commit, whichever that is. */
    @ParameterizedTest
    @ValueSource(strings = {StreamsConfig.EXACTLY_ONCE_V2, StreamsConfig.AT_LEAST_ONCE})
    @Tag("rule-15.2")
    void aResultThatComesAgainAtAnotherPositionIsForwarded(String guarantee) throws Exception {
        Map<String, Object> guaranteed = Map.of(
                StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee, StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
        AtomicBoolean isDying = new AtomicBoolean(true);
        try (App app = new App(folder)) {
            StreamsBuilder builder = new StreamsBuilder();
            builder.<String, String>stream(app.in())
                    .groupByKey()
                    .reduce((before, next) -> next)
                    .toStream()
                    .processValues(Deduplication.<String, String>named("outcomes")
                            .messageId(MessageIds.key())
                            .supplier())
                    .peek((key, value) -> {
                        if (isDying.get()) {
                            throw new IllegalStateException("dies when the id is remembered, as planned");
                        }
                    })
                    .to(app.out());
            Topology topology = builder.build();
            app.send("order", "1", "created");
            app.send("order", "2", "paid");
            KafkaStreams dying = app.start("first", topology, guaranteed);
            await().atMost(Duration.ofMinutes(1)).until(() -> dying.state() == KafkaStreams.State.ERROR);
            app.stop(dying);
            isDying.set(false);
            app.send("order", "3", "shipped");

            KafkaStreams second = app.start("first", topology, guaranteed);
            assertThat(app.outputs()).hasSize(1);
            app.send("order", "4", "copy");
            assertThat(app.outputs()).hasSize(1);
            app.stop(second);

            app.start("elsewhere", topology, guaranteed);
            app.send("order", "5", "copy");
            assertThat(app.outputs()).hasSize(1);
        }
    }

    @Test
    void aStandbyTakesOverWithTheIds() throws Exception {
        Map<String, Object> standby = Map.of(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 1);
        try (App app = new App(folder)) {
            KafkaStreams first = app.start("first", topology(app), standby);
            sendSome(app, "a");
            assertThat(app.outputs()).hasSize(20);
            KafkaStreams second = app.start("second", topology(app), standby);
            await().atMost(Duration.ofMinutes(1)).until(() -> hasAll(first) && hasAll(second));
            app.stop(first);
            sendSome(app, "copy");
            app.send("key-1", "new", "new");

            assertThat(app.outputs()).hasSize(21).contains("new").noneMatch(value -> value.startsWith("copy"));
        }
    }

    /** Returns whether an instance has read the changelog of both partitions, but for the markers at its end. */
    private static boolean hasAll(KafkaStreams streams) {
        Map<Integer, LagInfo> lags = streams.allLocalStorePartitionLags().getOrDefault("ledger", Map.of());
        return lags.size() == 2
                && lags.values().stream().allMatch(lag -> lag.offsetLag() <= 2 && lag.endOffsetPosition() > 2);
    }

    @Test
    void keepsTheIdsWhenTheTopologyChanges() throws Exception {
        try (App app = new App(folder)) {
            KafkaStreams old = app.start("first", topology(app), Map.of());
            sendSome(app, "a");
            assertThat(app.outputs()).hasSize(20);
            app.stop(old);

            StreamsBuilder builder = new StreamsBuilder();
            builder.<String, String>stream(app.in())
                    .filter((key, value) -> !value.isEmpty())
                    .processValues(
                            Deduplication.<String, String>named("another").supplier())
                    .processValues(ledger().supplier())
                    .peek((key, value) -> {})
                    .to(app.out());
            app.start("first", builder.build(), Map.of());
            sendSome(app, "copy");
            app.send("key-1", "new", "new");

            assertThat(app.outputs()).hasSize(21).contains("new");
        }
    }

    @Test
    @Tag("rule-15.7")
    void findsCopiesInAllPartitionsBehindATopicInBetween() throws Exception {
        try (App app = new App(folder)) {
            StreamsBuilder builder = new StreamsBuilder();
            ledger().acrossPartitions(builder.stream(app.in()), Serdes.String(), Serdes.String())
                    .to(app.out());
            app.start("first", builder.build(), Map.of());
            for (int i = 0; i < 40; i++) {
                app.send("key-" + i, "id-" + i % 10, "v" + i);
            }
            app.send(null, "id-1", "no key");

            await().atMost(Duration.ofMinutes(1)).until(() -> app.outputs().size() >= 10);
            assertThat(app.outputs()).hasSize(10).doesNotContain("no key");
        }
    }

    @Test
    @Tag("rule-15.7")
    void partitionsCanBeAddedInFrontOfATopicInBetweenWithANumberOfItsOwn() throws Exception {
        try (App app = new App(folder)) {
            StreamsBuilder builder = new StreamsBuilder();
            ledger().acrossPartitions(builder.stream(app.in()), Serdes.String(), Serdes.String(), 2)
                    .to(app.out());
            Topology topology = builder.build();
            KafkaStreams first = app.start("first", topology, Map.of());
            sendSome(app, "a");
            await().atMost(Duration.ofMinutes(1)).until(() -> app.outputs().size() == 20);
            app.stop(first);
            app.addPartition();

            app.start("first", topology, Map.of());
            sendSome(app, "copy");
            app.send("key-1", "new", "new");

            await().atMost(Duration.ofMinutes(1)).until(() -> app.outputs().contains("new"));
            assertThat(app.outputs()).hasSize(21);
        }
    }

    /** The broker would refuse the timestamp in the changelog. */
    @Test
    void takesARecordFarAheadIfTheInputHasIt() throws Exception {
        try (App app = new App(folder)) {
            app.start("first", topology(app), Map.of());
            app.send("key", "id", "value", System.currentTimeMillis() * 1_000);
            app.send("key", "id", "copy");

            assertThat(app.outputs()).containsExactly("value");
        }
    }

    @Test
    void tellsWhatItRemembersOfAnId() throws Exception {
        try (App app = new App(folder)) {
            KafkaStreams streams = app.start("first", topology(app), Map.of());
            Instant before = Instant.now().minusMillis(1);
            app.send("key", "id", "value");
            assertThat(app.outputs()).hasSize(1);

            Explained found = ledger().explain(streams, "id");
            assertThat(found.asked()).containsExactlyInAnyOrder(0, 1);
            assertThat(found.remembered().values()).singleElement().satisfies(first -> {
                assertThat(first.position().stream()).isEqualTo(app.in());
                assertThat(first.position().offset()).isZero();
                assertThat(first.at()).isBetween(before, Instant.now());
                assertThat(first.until()).isEqualTo(first.at().plus(Duration.ofDays(1)));
            });
            Position position = found.remembered().values().iterator().next().position();
            assertThat(found.sentence()).contains("Message id of ledger was forwarded at", position.toString());

            assertThat(ledger().explain(streams, "other").sentence())
                    .startsWith("Message other of ledger is not remembered")
                    .contains("(partitions asked here: " + List.of(0, 1) + ")");
            assertThatThrownBy(() -> Deduplication.named("unknown").explain(streams, "id"))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("unknown");
        }
    }
}

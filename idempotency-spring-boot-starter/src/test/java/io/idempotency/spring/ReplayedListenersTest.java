package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.micrometer.MeterNames;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Quarantined messages come back to listeners of each kind, with each store of the database. */
class ReplayedListenersTest {

    private static final int MESSAGES = 500;

    enum Store {
        TABLE,
        JOURNAL,
        TABLE_ON_MARIADB,
        JOURNAL_ON_MARIADB;

        private static final String ON_MARIADB = "_ON_MARIADB";

        boolean isOnMariaDb() {
            return name().endsWith(ON_MARIADB);
        }

        String property() {
            return "idempotency.store=" + name().replace(ON_MARIADB, "").toLowerCase(Locale.ROOT);
        }
    }

    private static final List<Store> ON_POSTGRESQL = List.of(Store.TABLE, Store.JOURNAL);

    enum Kind {
        RECORD,
        BATCH,
        PAYLOADS,
        POLLED,
        POLL,
        FILTERED,
        CONVERTED,
        MANUAL,
        REPLY,
        FUTURE,
        ONCE,
        HANDLERS,
        SENDER
    }

    /** An application, with the topic of each listener. */
    private record Scene(ListenerBench bench, Map<Kind, BenchTopic> topics, BenchTopic sent, BenchTopic replies) {

        static Scene of(Store store) {
            ListenerBench bench = new ListenerBench()
                    .withoutJpa()
                    .with(
                            store.property(),
                            "idempotency.consumers.FUTURE.store=table",
                            "spring.kafka.consumer.properties[max.poll.records]=100",
                            "spring.kafka.consumer.value-deserializer="
                                    + "org.springframework.kafka.support.serializer.ErrorHandlingDeserializer",
                            "spring.kafka.consumer.properties[spring.deserializer.value.delegate.class]="
                                    + ReplayedListeners.Mendable.class.getName());
            if (store.isOnMariaDb()) {
                bench.onMariaDb();
            }
            Map<Kind, BenchTopic> topics = new EnumMap<>(Kind.class);
            for (Kind kind : Kind.values()) {
                topics.put(kind, bench.topic(kind.name()));
            }
            Scene scene = new Scene(bench, topics, bench.topic("SENDER-out"), bench.topic("REPLY-out"));
            bench.start(ReplayedListeners.class, ReplayedListeners.Handlers.class, ReplayedListeners.Sender.class);
            return scene;
        }

        BenchTopic topic(Kind kind) {
            return Objects.requireNonNull(topics.get(kind));
        }

        ReplayedListeners.Seen seen() {
            return bench.bean(ReplayedListeners.Seen.class);
        }

        List<QuarantineEntry> quarantined(Kind kind) {
            QuarantineStore quarantine = bench.bean(QuarantineStore.class);
            return quarantine.list(kind.name(), 100).stream()
                    .map(id -> quarantine.find(id).orElseThrow())
                    .sorted(java.util.Comparator.comparing(
                            entry -> entry.message().delivery().position().offset()))
                    .toList();
        }

        Replay replay(Kind kind) {
            return bench.replay(kind.name());
        }

        double count(Kind kind, String result) {
            return bench.bean(MeterRegistry.class)
                    .get(MeterNames.REPLAYED)
                    .tags("consumer", kind.name(), "result", result)
                    .counter()
                    .count();
        }
    }

    private static final Map<Store, Scene> scenes = new EnumMap<>(Store.class);

    private static Scene scene(Store store) {
        return scenes.computeIfAbsent(store, Scene::of);
    }

    @AfterAll
    static void close() {
        scenes.values().forEach(scene -> scene.bench().close());
    }

    private static String type(QuarantineEntry entry) {
        String name = entry.message().failure().type();
        return name.substring(name.lastIndexOf('.') + 1);
    }

    @Tag("rule-9.20")
    @Tag("rule-9.26")
    @ParameterizedTest
    @CsvSource({
        "TABLE, RECORD",
        "TABLE, BATCH",
        "JOURNAL, RECORD",
        "JOURNAL, BATCH",
        "TABLE_ON_MARIADB, RECORD",
        "TABLE_ON_MARIADB, BATCH",
        "JOURNAL_ON_MARIADB, RECORD",
        "JOURNAL_ON_MARIADB, BATCH"
    })
    void sevenOfFiveHundredComeBackWhenTheApplicationIsMended(Store store, Kind kind) {
        Scene scene = scene(store);
        ReplayedListeners.Seen seen = scene.seen();
        seen.isIdMended = false;
        ReplayedListeners.Mendable.isMended = false;
        Effects.Ledger ledger = scene.bench().ledger();
        String prefix = kind + ":500:";
        List<String> poison = List.of(
                prefix + "60unnamed",
                prefix + "120",
                prefix + "180",
                prefix + "240",
                prefix + "300",
                prefix + "360",
                prefix + "420");
        refuse(scene, store, poison.get(2));
        ledger.fail(poison.get(3), () -> new UncheckedIOException(new SocketTimeoutException("no answer")));
        ledger.then(poison.get(4), () -> {
            throw new NoClassDefFoundError("com/bank/Rate");
        });
        refuse(scene, store, poison.get(5));
        List<String> values = IntStream.range(0, MESSAGES)
                .mapToObj(i -> prefix + i + (i == 60 ? "unnamed" : ""))
                .toList();
        BenchTopic topic = scene.topic(kind);
        topic.whileStopped(() -> topic.sendAll(
                0,
                values.stream()
                        .map(value -> value.equals(poison.get(1)) || value.equals(poison.get(6))
                                ? ReplayedListeners.GARBLED + value
                                : value)
                        .toArray(String[]::new)));
        topic.awaitSettled();

        List<String> good = new ArrayList<>(values);
        good.removeAll(poison);
        assertThat(scene.bench().effects(prefix)).isEqualTo(good);
        List<QuarantineEntry> quarantined = scene.quarantined(kind);
        assertThat(quarantined)
                .extracting(ReplayedListenersTest::type)
                .containsExactly(
                        "UnreadableMessageIdException",
                        "DeserializationException",
                        "DuplicateKeyException",
                        "UncheckedIOException",
                        "NoClassDefFoundError",
                        "DuplicateKeyException",
                        "DeserializationException");
        double counted = scene.count(kind, "processed");

        seen.isIdMended = true;
        ReplayedListeners.Mendable.isMended = true;
        poison.forEach(value -> ledger.then(value, () -> {}));
        Replay replay = scene.replay(kind);

        assertThat(replay.status()).isEqualTo(Replay.Status.DONE);
        assertThat(replay.progress().processed()).isEqualTo(poison.size());
        good.addAll(poison);
        assertThat(scene.bench().effects(prefix)).isEqualTo(good);
        assertThat(scene.quarantined(kind)).isEmpty();
        assertThat(scene.count(kind, "processed") - counted).isEqualTo(poison.size());
        assertThat(poison)
                .allSatisfy(value -> assertThat(seen.replays)
                        .containsEntry(value, replay.request().id()));
        topic.redeliver();
        topic.awaitSettled();
        assertThat(scene.bench().effects(prefix)).hasSize(MESSAGES);
    }

    /** Lets the database refuse the effect with a violated constraint. */
    private static void refuse(Scene scene, Store store, String value) {
        String violation = store.isOnMariaDb()
                ? "signal sqlstate '23000' set mysql_errno = 1062, message_text = 'duplicate entry'"
                : "do $$ begin raise unique_violation; end $$";
        scene.bench().ledger().then(value, () -> scene.bench().jdbc().execute(violation));
    }

    /** Sends three messages, the second one poison, and mends the listener. */
    private static String poison(Scene scene, Kind kind, String test) {
        String prefix = kind + ":" + test + ":";
        String poison = prefix + 2;
        scene.bench().ledger().fail(poison, () -> new IllegalStateException("no such account"));
        scene.topic(kind).whileStopped(() -> scene.topic(kind).sendAll(0, prefix + 1, poison, prefix + 3));
        scene.topic(kind).awaitSettled();
        assertThat(scene.quarantined(kind))
                .extracting(ReplayedListenersTest::type)
                .containsExactly("IllegalStateException");
        scene.bench().ledger().then(poison, () -> {});
        return poison;
    }

    @Tag("rule-9.20")
    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"RECORD", "BATCH"})
    void aMessageOfAnyKindOfListenerComesBack(Kind kind) {
        for (Store store : ON_POSTGRESQL) {
            Scene scene = scene(store);
            String poison = poison(scene, kind, "back");
            long before = scene.bench().effects(poison).size();
            long calls = scene.bench().ledger().callsOf(poison);

            assertThat(scene.replay(kind).progress().processed()).isEqualTo(1);

            assertThat(scene.bench().effects(poison)).hasSize((int) before + 1);
            assertThat(scene.bench().ledger().callsOf(poison)).isEqualTo(calls + 1);
            assertThat(scene.quarantined(kind)).isEmpty();
            scene.topic(kind).redeliver();
            scene.topic(kind).awaitSettled();
            assertThat(scene.bench().ledger().callsOf(poison)).isEqualTo(calls + 1);
        }
    }

    @Test
    @Tag("rule-9.21")
    void aFailedReplayStaysInQuarantineAndLeavesTheLivePartitionAlone() throws Exception {
        Scene scene = scene(Store.TABLE);
        String poison = poison(scene, Kind.RECORD, "failed");
        QuarantineEntry before = scene.quarantined(Kind.RECORD).get(0);
        scene.bench().ledger().fail(poison, () -> new IllegalArgumentException("still no such account"));
        long committed = scene.topic(Kind.RECORD).committed(0);

        assertThat(scene.replay(Kind.RECORD).progress().failed()).isEqualTo(1);

        QuarantineEntry after = scene.quarantined(Kind.RECORD).get(0);
        assertThat(type(after)).isEqualTo("IllegalArgumentException");
        assertThat(after.message().attempts()).isEqualTo(before.message().attempts() + 1);
        assertThat(after.firstAt()).isEqualTo(before.firstAt());
        assertThat(scene.topic(Kind.RECORD).committed(0)).isEqualTo(committed);
        scene.topic(Kind.RECORD).send(0, "RECORD:failed:4", "RECORD:failed:4");
        scene.topic(Kind.RECORD).awaitSettled();
        assertThat(scene.bench().effects("RECORD:failed:4")).hasSize(1);

        scene.bench().ledger().then(poison, () -> {});
        assertThat(scene.replay(Kind.RECORD).progress().processed()).isEqualTo(1);
        assertThat(scene.count(Kind.RECORD, "failed")).isEqualTo(1);
    }

    @Test
    @Tag("rule-9.20")
    void interceptorsOfTheContainerAndTheScopeSeeAReplay() {
        Scene scene = scene(Store.TABLE);
        String record = poison(scene, Kind.RECORD, "intercepted");
        String batch = poison(scene, Kind.BATCH, "intercepted");
        List<String> intercepted = scene.seen().intercepted;
        intercepted.clear();

        var unused = scene.replay(Kind.RECORD);
        unused = scene.replay(Kind.BATCH);

        assertThat(intercepted)
                .containsExactly("intercept " + record, "success " + record, "after " + record, "batch " + batch);
        assertThat(scene.seen().scopes)
                .containsEntry(record, scene.topic(Kind.RECORD).name)
                .containsEntry(batch, scene.topic(Kind.BATCH).name);
    }

    @Test
    @Tag("rule-9.22")
    void aMessageThatAFilterTakesAwayIsSettledWithoutACall() {
        Scene scene = scene(Store.TABLE);
        String poison = poison(scene, Kind.FILTERED, "filtered");
        long calls = scene.bench().ledger().callsOf(poison);
        scene.seen().filtered.add(poison);

        assertThat(scene.replay(Kind.FILTERED).progress().processed()).isEqualTo(1);

        assertThat(scene.quarantined(Kind.FILTERED)).isEmpty();
        scene.topic(Kind.FILTERED).redeliver();
        scene.topic(Kind.FILTERED).awaitSettled();
        assertThat(scene.bench().ledger().callsOf(poison)).isEqualTo(calls);
        assertThat(scene.bench().effects(poison)).isEmpty();
    }

    @Test
    @Tag("rule-9.23")
    void anAcknowledgmentCommitsNoOffsetAndANegativeOneIsAFailedAttempt() throws Exception {
        Scene scene = scene(Store.TABLE);
        String poison = poison(scene, Kind.MANUAL, "manual");
        long committed = scene.topic(Kind.MANUAL).committed(0);
        scene.seen().isNacking = true;

        assertThat(scene.replay(Kind.MANUAL).progress().failed()).isEqualTo(1);
        assertThat(scene.quarantined(Kind.MANUAL)).hasSize(1);

        scene.seen().isNacking = false;
        assertThat(scene.replay(Kind.MANUAL).progress().processed()).isEqualTo(1);
        assertThat(scene.bench().effects(poison)).hasSize(1);
        assertThat(scene.topic(Kind.MANUAL).committed(0)).isEqualTo(committed);
        assertThat(scene.seen().consumer).isEqualTo("no Kafka consumer: replay for listener MANUAL []");
    }

    @Test
    @Tag("rule-9.20")
    void whatAListenerSendsArrivesOnceMoreWithADerivedId() {
        Scene scene = scene(Store.TABLE);
        String poison = poison(scene, Kind.SENDER, "sent");
        String reply = poison(scene, Kind.REPLY, "sent");

        var unused = scene.replay(Kind.SENDER);
        unused = scene.replay(Kind.REPLY);

        List<ConsumerRecord<String, String>> outputs = scene.sent().read().stream()
                .filter(record -> record.value().equals("output of " + poison))
                .toList();
        assertThat(outputs).hasSize(3);
        assertThat(outputs)
                .extracting(record -> BenchTopic.header(record, "message-id"))
                .containsOnly(BenchTopic.header(outputs.get(0), "message-id"));
        assertThat(scene.replies().values()).containsOnlyOnce("reply to " + reply);
    }

    @Test
    @Tag("rule-9.24")
    void aPausedContainerWorksOnNoReplay() {
        Scene scene = scene(Store.TABLE);
        String poison = poison(scene, Kind.POLL, "paused");
        scene.topic(Kind.POLL).container().pause();
        ReplayStore replays = scene.bench().bean(ReplayStore.class);
        Replay begun = replays.request(ReplayRequest.of(QuarantineSelection.of(Kind.POLL.name())));
        var unused = scene.replay(poisonedOther(scene));

        assertThat(replays.find(begun.request().id()).orElseThrow().progress().left())
                .isEqualTo(1);

        scene.topic(Kind.POLL).container().resume();
        ListenerBench.await().until(() -> scene.bench().effects(poison).size() == 1);
    }

    /** Another consumer goes on meanwhile. */
    private static Kind poisonedOther(Scene scene) {
        String unused = poison(scene, Kind.POLLED, "paused");
        return Kind.POLLED;
    }

    @Test
    @Tag("rule-9.20")
    void atMostOnceComesBackOnlyIfEffectsMayRepeat() {
        Scene scene = scene(Store.TABLE);
        String unused = poison(scene, Kind.ONCE, "once");

        Replay asked = scene.bench()
                .bean(ReplayStore.class)
                .request(ReplayRequest.of(QuarantineSelection.of(Kind.ONCE.name())));
        Replay refused = scene.bench().awaitEnd(asked.request().id());

        assertThat(refused.stoppedBy().orElseThrow()).contains("AT_MOST_ONCE");
        assertThat(scene.replay(Kind.ONCE).progress().processed()).isEqualTo(1);
    }

    @Test
    @Tag("rule-9.27")
    void whatStillCannotBeDeserializedStaysWithThatFailure() {
        Scene scene = scene(Store.TABLE);
        ReplayedListeners.Mendable.isMended = false;
        BenchTopic topic = scene.topic(Kind.RECORD);
        topic.whileStopped(() -> topic.sendAll(0, ReplayedListeners.GARBLED + "still", "RECORD:garbled"));
        topic.awaitSettled();
        int attempts = scene.quarantined(Kind.RECORD).get(0).message().attempts();

        assertThat(scene.replay(Kind.RECORD).progress().unreadable()).isEqualTo(1);

        QuarantineEntry kept = scene.quarantined(Kind.RECORD).get(0);
        assertThat(type(kept)).isEqualTo("DeserializationException");
        assertThat(kept.message().attempts()).isEqualTo(attempts);
        ReplayedListeners.Mendable.isMended = true;
        assertThat(scene.replay(Kind.RECORD).progress().processed()).isEqualTo(1);
        assertThat(scene.bench().effects("still")).hasSize(1);
    }
}

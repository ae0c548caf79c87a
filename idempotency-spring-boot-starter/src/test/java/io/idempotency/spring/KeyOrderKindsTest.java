package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.TransactionPer;
import io.idempotency.replay.Replay;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** Poison in the middle of a batch: the order of its key holds, and comes back with a replay, for each kind of listener, store and database. */
class KeyOrderKindsTest {

    enum Database {
        POSTGRESQL,
        MARIADB
    }

    enum Store {
        TABLE,
        JOURNAL
    }

    enum Kind {
        RECORD,
        POLL,
        BATCH,
        RECORDS,
        NAMING
    }

    private record Place(Database database, Store store) {}

    /** An application, with the topic of each listener. */
    private record Scene(ListenerBench bench, Map<Kind, BenchTopic> topics) {

        static Scene of(Place place) {
            ListenerBench bench = new ListenerBench().withoutJpa();
            if (place.database() == Database.MARIADB) {
                bench.onMariaDb();
            }
            bench.with(
                    "idempotency.quarantine.key-order=true",
                    "idempotency.store=" + place.store().name().toLowerCase(Locale.ROOT));
            Map<Kind, BenchTopic> topics = new EnumMap<>(Kind.class);
            for (Kind kind : Kind.values()) {
                topics.put(kind, bench.topic(kind.name()));
            }
            return new Scene(bench.start(Listeners.class), topics);
        }

        BenchTopic topic(Kind kind) {
            return Objects.requireNonNull(topics.get(kind));
        }

        QuarantinedMessage kept(Kind kind, String value) {
            return bench.bean(QuarantineStore.class)
                    .find(new MessageId(kind.name(), value))
                    .orElseThrow()
                    .message();
        }
    }

    private static final Map<Place, Scene> scenes = new HashMap<>();

    @AfterAll
    static void close() {
        scenes.values().forEach(scene -> scene.bench().close());
    }

    @Configuration(proxyBeanMethods = false)
    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @Bean
        static DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 1));
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("RECORD")
        void record(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "POLL", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("BATCH")
        void batch(List<String> values) {
            values.forEach(ledger::post);
        }

        @KafkaListener(id = "RECORDS", groupId = "${topic}-RECORDS", topics = "${topic}-RECORDS", batch = "true")
        @Idempotent("RECORDS")
        void records(ConsumerRecords<String, String> records) {
            records.forEach(record -> ledger.post(record.value()));
        }

        @KafkaListener(id = "NAMING", groupId = "${topic}-NAMING", topics = "${topic}-NAMING", batch = "true")
        @Idempotent("NAMING")
        void naming(List<ConsumerRecord<String, String>> records) {
            for (ConsumerRecord<String, String> record : records) {
                try {
                    ledger.post(record.value());
                } catch (IllegalStateException e) {
                    throw new BatchListenerFailedException("poison", e, record);
                }
            }
        }
    }

    static Stream<Arguments> cells() {
        return Stream.of(Database.values())
                .flatMap(database -> Stream.of(Store.values())
                        .flatMap(store -> Stream.of(Kind.values()).map(kind -> Arguments.of(database, store, kind))));
    }

    @Tag("rule-10.1")
    @Tag("rule-10.6")
    @ParameterizedTest
    @MethodSource("cells")
    void holdsAndComesBackWithAReplay(Database database, Store store, Kind kind) {
        Scene scene = scenes.computeIfAbsent(new Place(database, store), Scene::of);
        ListenerBench bench = scene.bench();
        BenchTopic topic = scene.topic(kind);
        String of = kind + ":";
        bench.ledger().fail(of + "A2", () -> new IllegalStateException("no such account"));
        topic.whileStopped(() -> Stream.of("A1", "B1", "A2", "B2", "A3", "B3", "A4")
                .forEach(value -> topic.sendKeyed(0, value.substring(0, 1), of + value)));
        topic.awaitSettled();

        assertThat(bench.effects(of)).containsExactly(of + "A1", of + "B1", of + "B2", of + "B3");
        assertThat(bench.ledger().calls).doesNotContain(of + "A3", of + "A4");
        assertThat(scene.kept(kind, of + "A2").isBehind()).isFalse();
        assertThat(scene.kept(kind, of + "A3").isBehind()).isTrue();
        assertThat(scene.kept(kind, of + "A4").isBehind()).isTrue();

        bench.ledger().then(of + "A2", () -> {});
        Replay replay = bench.replay(kind.name());

        assertThat(replay.progress().processed()).isPositive();
        ListenerBench.await().until(() -> bench.effects(of).size() == 7);
        assertThat(bench.effects(of))
                .filteredOn(value -> value.startsWith(of + "A"))
                .containsExactly(of + "A1", of + "A2", of + "A3", of + "A4");
        assertThat(bench.bean(QuarantineStore.class).list(kind.name(), 10)).isEmpty();
        topic.redeliver();
        topic.awaitSettled();
        assertThat(bench.effects(of)).hasSize(7);
    }
}

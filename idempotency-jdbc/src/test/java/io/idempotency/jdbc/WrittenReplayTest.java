package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.replay.Replay;
import io.idempotency.replay.Replay.Progress;
import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore.Item;
import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantinedMessage;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Replays that somebody writes into their table by plain SQL. */
@Tag("rule-9.8")
class WrittenReplayTest {

    private static final Partition PARTITION = new Partition("orders", 0);

    private final String id = "INC-" + UUID.randomUUID();

    /** A quarantine, and the replays of its messages. */
    private static final class Scene implements AutoCloseable {

        private final Fixture fixture;
        private final JdbcQuarantine quarantine;
        private final JdbcReplays replays;

        Scene(TestDatabase database) {
            fixture = Fixture.on(database);
            quarantine = JdbcQuarantine.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
            replays = JdbcReplays.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
        }

        void quarantine(String consumer, String message, long offset) {
            quarantine.save(new QuarantinedMessage(
                    new Delivery(new MessageId(consumer, message), new Position("orders", 0, offset)),
                    Payload.none(Payload.Origin.POSITION_ONLY),
                    new QuarantineFailure("some.Failure", "A", "text"),
                    1));
        }

        void insert(String replay, String columns, String values) {
            fixture.jdbc.update("insert into rules_replay (id, consumer" + columns + ") select '" + replay + "', id"
                    + values + " from rules_name where name = '" + fixture.consumer + "'");
        }

        void choose(String replay, String condition) {
            fixture.jdbc.update("update rules_quarantine set replay = '" + replay + "' where " + condition);
        }

        String ofConsumer() {
            return "consumer = (select id from rules_name where name = '" + fixture.consumer + "')";
        }

        @Override
        public void close() {
            fixture.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void isCompletedWhenItHasMessages(TestDatabase database) {
        try (Scene scene = new Scene(database)) {
            String consumer = scene.fixture.consumer;
            scene.quarantine(consumer, "a", 1);
            scene.quarantine(consumer, "b", 2);
            scene.insert(id, "", "");
            assertThat(scene.replays.running(consumer)).isEmpty();
            assertThat(scene.replays.endIfDone(id)).isFalse();

            scene.choose(id, scene.ofConsumer());

            Replay replay = scene.replays.running(consumer).get(0);
            assertThat(replay.request().id()).isEqualTo(id);
            assertThat(replay.request().perSecond()).isEqualTo(ReplayRequest.DEFAULT_PER_SECOND);
            assertThat(replay.request().stopAfter()).isEqualTo(ReplayRequest.DEFAULT_STOP_AFTER);
            assertThat(replay.request().actor()).isEqualTo("unknown");
            assertThat(replay.selection()).isNotEmpty();
            assertThat(replay.progress()).isEqualTo(new Progress(2, 0, 0, 0, 0));
            assertThat(replay.requestedAt()).isAfter(Instant.EPOCH);
            assertThat(scene.replays.running(consumer)).containsExactly(replay);
            for (Item item : scene.replays.next(id, PARTITION, 10)) {
                scene.quarantine.delete(item.id());
                scene.replays.count(id, ReplayResult.PROCESSED, Optional.empty());
            }
            assertThat(scene.replays.endIfDone(id)).isTrue();
            assertThat(scene.replays.find(id).map(Replay::progress)).contains(new Progress(2, 2, 0, 0, 0));
        }
    }

    @Test
    void freesMessagesOfOtherConsumers() {
        try (Scene scene = new Scene(TestDatabase.H2)) {
            String other = "other-" + scene.fixture.consumer;
            scene.quarantine(scene.fixture.consumer, "mine", 1);
            scene.quarantine(other, "other", 2);
            scene.insert(id, "", "");
            scene.choose(id, "id_value in ('mine', 'other')");

            assertThat(scene.replays.running(scene.fixture.consumer)).hasSize(1);

            assertThat(scene.replays.next(id, PARTITION, 10))
                    .extracting(item -> item.id().value())
                    .containsExactly("mine");
            assertThat(scene.replays
                            .request(ReplayRequest.of(QuarantineSelection.of(other)))
                            .progress()
                            .total())
                    .isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({"status, 'RUNING', RUNING", "per_second, -1, per_second is -1", "stop_after, 0, stop_after is 0"})
    void isStoppedByAMistakeThatItNames(String column, String value, String told) {
        try (Scene scene = new Scene(TestDatabase.H2)) {
            String consumer = scene.fixture.consumer;
            scene.quarantine(consumer, "a", 1);
            scene.insert(id, ", " + column, ", '" + value + "'");
            scene.choose(id, scene.ofConsumer());

            List<String> warnings = Warnings.of(
                    JdbcReplays.class,
                    () -> assertThat(scene.replays.running(consumer)).isEmpty());

            Replay stopped = scene.replays.find(id).orElseThrow();
            assertThat(stopped.status()).isEqualTo(Status.STOPPED);
            assertThat(stopped.stoppedBy().orElseThrow()).contains(told);
            assertThat(warnings).singleElement().asString().contains(id, told);
            assertThat(scene.replays.list(consumer, 10)).containsExactly(stopped);
            assertThat(scene.quarantine
                            .find(new MessageId(consumer, "a"))
                            .orElseThrow()
                            .replay())
                    .isEmpty();

            scene.fixture.jdbc.update(
                    "update rules_replay set status = 'RUNNING', per_second = 1, stop_after = 1 where id = ?", id);

            assertThat(scene.replays.running(consumer))
                    .singleElement()
                    .satisfies(replay -> assertThat(replay.stoppedBy()).isEmpty());
        }
    }

    @Test
    void isStoppedIfItsIdIsTooLong() {
        try (Scene scene = new Scene(TestDatabase.H2)) {
            String consumer = scene.fixture.consumer;
            String tooLong = id.repeat(2);
            scene.quarantine(consumer, "a", 1);
            scene.insert(tooLong, "", "");

            assertThat(scene.replays.running(consumer)).isEmpty();

            assertThat(scene.replays.find(tooLong).flatMap(Replay::stoppedBy).orElseThrow())
                    .contains("longer than 64 characters");
        }
    }

    @ParameterizedTest
    @EnumSource
    void isStoppedIfItHasNoMessagesForAMinute(TestDatabase database) {
        try (Scene scene = new Scene(database)) {
            AtomicLong nanos = new AtomicLong();
            JdbcReplays replays = scene.replays.nanoTime(nanos::get);
            String consumer = scene.fixture.consumer;
            scene.quarantine(consumer, "a", 1);
            scene.insert(id, "", "");
            assertThat(replays.running(consumer)).isEmpty();
            nanos.addAndGet(WrittenReplays.MOST_WITHOUT_MESSAGES.toNanos() - 1);
            assertThat(replays.running(consumer)).isEmpty();
            assertThat(replays.find(id).map(Replay::status)).contains(Status.RUNNING);
            nanos.incrementAndGet();

            assertThat(replays.running(consumer)).isEmpty();

            Replay stopped = replays.find(id).orElseThrow();
            assertThat(stopped.status()).isEqualTo(Status.STOPPED);
            assertThat(stopped.stoppedBy().orElseThrow()).contains("No message in quarantine has the id");

            scene.choose(id, scene.ofConsumer());
            scene.fixture.jdbc.update("update rules_replay set status = 'RUNNING' where id = ?", id);

            assertThat(replays.running(consumer))
                    .singleElement()
                    .satisfies(replay -> assertThat(replay.progress().total()).isEqualTo(1));
        }
    }

    /** The time without messages begins anew when somebody sets the row to running again. */
    @Test
    void hasAnotherMinuteWhenItRunsAgain() {
        try (Scene scene = new Scene(TestDatabase.H2)) {
            AtomicLong nanos = new AtomicLong();
            JdbcReplays replays = scene.replays.nanoTime(nanos::get);
            String consumer = scene.fixture.consumer;
            scene.quarantine(consumer, "a", 1);
            scene.insert(id, "", "");
            assertThat(replays.running(consumer)).isEmpty();
            nanos.addAndGet(WrittenReplays.MOST_WITHOUT_MESSAGES.toNanos());
            assertThat(replays.running(consumer)).isEmpty();
            assertThat(replays.running(consumer)).isEmpty();

            scene.fixture.jdbc.update("update rules_replay set status = 'RUNNING' where id = ?", id);

            assertThat(replays.running(consumer)).isEmpty();
            assertThat(replays.find(id).map(Replay::status)).contains(Status.RUNNING);
        }
    }
}

package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a process knows about the keys of a partition: when it reads them, and what a former owner may still add. */
class KeyOrderOwnersTest {

    private final KeyOrderScene scene = new KeyOrderScene();

    @Test
    @Tag("rule-10.2")
    void aNewOwnerReadsTheKeysOnce() {
        scene.poison("a1");
        scene.consumeOne("a1", 0);
        scene.queries.reads = 0;
        IdempotentConsumer<Message> next = scene.strong().build(scene.nanos::get);

        assertThat(next.consume(Message.of("a2", 0, 1), scene.bench::handle)).isEqualTo(QUARANTINED);
        assertThat(next.consume(Message.of("b1", 0, 2), scene.bench::handle)).isEqualTo(PROCESSED);

        assertThat(scene.queries.reads).isEqualTo(1);
    }

    @Test
    @Tag("rule-10.2")
    void readsTheKeysAgainIfAMessageDoesNotFollowTheLastOne() {
        scene.consumeOne("b1", 0);
        scene.byFormerOwner("a1", 1);

        assertThat(scene.consumeOne("a2", 2)).isEqualTo(QUARANTINED);

        assertThat(scene.queries.reads).isEqualTo(2);
    }

    @Test
    @Tag("rule-10.2")
    void readsTheKeysAgainAfterARevocationAndAfterAMinute() {
        scene.consumeOne("b1", 0);
        scene.consumer.revoked("orders", 0);
        scene.consumeOne("b2", 1);
        scene.nanos.addAndGet(Duration.ofMinutes(1).toNanos());
        scene.consumeOne("b3", 2);
        scene.consumeOne("b4", 3);

        assertThat(scene.queries.reads).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-10.3")
    void aMessageThatALateOwnerQuarantinedBlocksTheNextOnes(ConsistencyLevel level) {
        IdempotentConsumer<Message> leveled = scene.strong().level(level).build();
        leveled.consume(Message.of("b1", 0, 0), scene.bench::handle);
        scene.byFormerOwner("a1", 1);

        BatchResult result = scene.bench.deliver(
                List.of(Message.of("a1", 0, 1), Message.of("a2", 0, 2), Message.of("b2", 0, 3)),
                messages -> leveled.consumeAll(messages, scene.bench::handle));

        assertThat(result.outcomes()).containsExactly(QUARANTINED, QUARANTINED, PROCESSED);
        assertThat(scene.bench.calls).containsExactly("b1", "b2");
        assertThat(scene.queries.reads).isEqualTo(1);
    }

    @Test
    @Tag("rule-10.3")
    void aMessageThatALateOwnerQuarantinedBlocksLaterCalls() {
        scene.consumeOne("b1", 0);
        scene.byFormerOwner("a1", 1);

        assertThat(scene.consumeOne("a1", 1)).isEqualTo(QUARANTINED);
        assertThat(scene.consumeOne("a2", 2)).isEqualTo(QUARANTINED);
    }

    @Test
    @Tag("rule-10.3")
    void believesTheClaimRatherThanAnOldSnapshot() {
        scene.poison("a0");
        scene.consumeOne("a0", 0);
        scene.drop("a0");
        scene.byFormerOwner("a1", 1);
        scene.queries.isBlind = true;

        BatchResult result =
                scene.consumer.consumeAll(List.of(Message.of("a1", 0, 1), Message.of("a2", 0, 2)), scene.bench::handle);

        assertThat(result.outcomes()).containsExactly(QUARANTINED, QUARANTINED);
    }

    @Test
    @Tag("rule-10.7")
    void readsTheBytesOfMessagesBehindOutsideTheTransaction() {
        List<Boolean> inside = new ArrayList<>();
        MessageReader<Message> reader = new MessageReader<>() {
            @Override
            public Position position(Message message) {
                return message.position();
            }

            @Override
            public Payload payload(Message message) {
                inside.add(scene.bench.store.transactions().isActive());
                return Message.READER.payload(message);
            }
        };
        IdempotentConsumer<Message> reading = scene.strong().reader(reader).build();
        reading.consume(Message.of("b1", 0, 0), scene.bench::handle);
        scene.byFormerOwner("a1", 1);

        reading.consumeAll(List.of(Message.of("a1", 0, 1), Message.of("a2", 0, 2)), scene.bench::handle);

        assertThat(inside).isNotEmpty().containsOnly(false);
        assertThat(scene.kept("a2").payload().value()).isNotEmpty();
    }

    @Test
    @Tag("rule-10.2")
    void duplicatesFromTheCacheDoNotHideAKey() {
        scene.consumeOne("b1", 0);
        scene.consumeOne("b2", 1);
        scene.byFormerOwner("a1", 2);

        BatchResult result = scene.consumer.consumeAll(
                List.of(Message.of("b1", 0, 0), Message.of("b2", 0, 1), Message.of("a1", 0, 2), Message.of("a2", 0, 3)),
                scene.bench::handle);

        assertThat(result.outcomes()).containsExactly(DUPLICATE, DUPLICATE, QUARANTINED, QUARANTINED);
    }
}

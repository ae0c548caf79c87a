package io.idempotency;

import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.QuarantinedMessage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A message of a key that is in quarantine keeps back the later ones of its key. */
class KeyOrderTest {

    private final KeyOrderScene scene = new KeyOrderScene();

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-10.1")
    void laterMessagesOfAKeyFollowItToQuarantine(ConsistencyLevel level) {
        IdempotentConsumer<Message> leveled = scene.strong().level(level).build();
        scene.poison("a1");

        BatchResult result = scene.bench.deliver(
                Message.partition(0, "b1", "a1", "a2", "b2", "a3", "-1"),
                messages -> leveled.consumeAll(messages, scene.bench::handle));

        assertThat(result.outcomes())
                .containsExactly(PROCESSED, QUARANTINED, QUARANTINED, PROCESSED, QUARANTINED, PROCESSED);
        assertThat(scene.bench.effects).containsExactly("b1", "b2", "-1");
        assertThat(scene.bench.calls).doesNotContain("a2", "a3");
        assertThat(scene.kept("a1").isBehind()).isFalse();
        QuarantinedMessage behind = scene.kept("a3");
        assertThat(behind.isBehind()).isTrue();
        assertThat(behind.keyHash()).isEqualTo(scene.kept("a1").keyHash()).isNotZero();
        assertThat(behind.attempts()).isZero();
        assertThat(behind.payload().value()).isEqualTo("a3".getBytes(StandardCharsets.UTF_8));
        assertThat(behind.failure().type()).isEqualTo(BehindQuarantineException.class.getName());
        assertThat(behind.failure().text()).contains("a2 at orders-0@2");
    }

    @Test
    @Tag("rule-10.1")
    void tellsTheListenerBehindWhichMessage() {
        scene.poison("a1");

        scene.consumeOne("a1", 0);
        scene.consumeOne("a2", 1);

        Consumption told = scene.bench.lastEvent();
        assertThat(told.outcome()).isEqualTo(QUARANTINED);
        assertThat(told.failure())
                .get()
                .isInstanceOfSatisfying(
                        BehindQuarantineException.class,
                        why -> assertThat(why.before().id().value()).isEqualTo("a1"));
    }

    @ParameterizedTest
    @EnumSource(names = {"STRONG", "AT_LEAST_ONCE"})
    @Tag("rule-10.1")
    void aBatchComesWithoutMessagesThatStandBehind(ConsistencyLevel level) {
        IdempotentConsumer<Message> leveled = scene.strong().level(level).build();
        scene.poison("a1");
        leveled.consumeAll(Message.partition(0, "a1"), scene.bench::handle);
        List<Integer> sizes = new ArrayList<>();

        BatchResult result = leveled.consumeBatch(
                List.of(Message.of("b1", 0, 1), Message.of("a2", 0, 2), Message.of("b2", 0, 3)), (messages, claims) -> {
                    sizes.add(messages.size());
                    scene.bench.handleBatch(messages, claims);
                });

        assertThat(result.outcomes()).containsExactly(PROCESSED, QUARANTINED, PROCESSED);
        assertThat(sizes).containsExactly(2);
    }

    @Test
    @Tag("rule-10.1")
    void aKeyBlocksItsPartitionOnly() {
        scene.poison("a1");

        scene.consumeOne("a1", 0);

        assertThat(scene.consumer.consume(Message.of("a2", 1, 1), scene.bench::handle))
                .isEqualTo(PROCESSED);
    }

    @Test
    @Tag("rule-10.1")
    void whatTheCallerQuarantinesBlocksItsKey() {
        scene.consumer.consume(Message.of("b1", 0, 0), scene.bench::handle);

        scene.consumer.quarantine(Message.of("a1", 0, 1), new IllegalStateException("by an error handler"));

        assertThat(scene.consumeOne("a2", 2)).isEqualTo(QUARANTINED);
        assertThat(scene.queries.reads).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-10.4")
    void aKeyWithoutMessagesInQuarantineIsFree(ConsistencyLevel level) {
        IdempotentConsumer<Message> leveled = scene.strong().level(level).build();
        scene.poison("a1");
        leveled.consumeAll(Message.partition(0, "a1"), scene.bench::handle);
        scene.drop("a1");

        assertThat(leveled.consume(Message.of("a2", 0, 1), scene.bench::handle)).isEqualTo(PROCESSED);
        int queried = scene.queries.verifications;
        assertThat(leveled.consume(Message.of("a3", 0, 2), scene.bench::handle)).isEqualTo(PROCESSED);

        assertThat(queried).isEqualTo(1);
        assertThat(scene.queries.verifications).isEqualTo(1);
    }

    @Test
    @Tag("rule-10.4")
    void aKeyIsNotFreeIfTheTransactionThatFoundItFreeIsRolledBack() {
        scene.poison("a1");
        scene.consumeOne("a1", 0);
        scene.drop("a1");
        scene.bench.failing.put("a2", new io.idempotency.store.TransientStoreException("later"));
        scene.consumer.consumeAll(List.of(Message.of("a2", 0, 1)), scene.bench::handle);

        scene.bench.failing.clear();
        scene.consumeOne("a2", 1);

        assertThat(scene.queries.verifications).isEqualTo(2);
    }

    @Test
    @Tag("rule-10.4")
    void oneQueryServesAllMessagesOfAKeyInOneTransaction() {
        scene.poison("a1");
        scene.consumeOne("a1", 0);

        BatchResult result = scene.consumer.consumeAll(
                List.of(Message.of("a2", 0, 1), Message.of("a3", 0, 2), Message.of("a4", 0, 3)), scene.bench::handle);

        assertThat(result.outcomes()).containsOnly(QUARANTINED);
        assertThat(scene.queries.verifications).isEqualTo(1);
    }

    @Test
    @Tag("rule-10.8")
    void doesNotRunInATransactionOfTheCaller() {
        assertThatThrownBy(() -> scene.bench.store.transactions().inTransaction(() -> scene.consumeOne("a1", 0)))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("keeps the order of keys");
    }

    @Test
    @Tag("rule-10.8")
    void theBuilderSaysWhatIsMissing() {
        assertThatThrownBy(() -> IdempotentConsumer.<Message>named("billing")
                        .store(scene.bench.store)
                        .messageId(Message::messageId)
                        .reader(Message.READER)
                        .keyOrder()
                        .build())
                .hasMessageContaining("needs quarantine(..)");
        assertThatThrownBy(() -> scene.strong().level(ConsistencyLevel.NONE).build())
                .hasMessageContaining("NONE");
        assertThatThrownBy(() ->
                        scene.strong().reader(MessageReader.withoutPosition()).build())
                .hasMessageContaining("needs a reader(..)");
    }

    @Test
    @Tag("rule-10.1")
    void withoutTheOptionNothingIsAsked() {
        IdempotentConsumer<Message> unordered = scene.bench
                .strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .quarantine(scene.queries)
                .build();
        scene.poison("a1");

        unordered.consumeAll(Message.partition(0, "a1"), scene.bench::handle);

        assertThat(unordered.consume(Message.of("a2", 0, 1), scene.bench::handle))
                .isEqualTo(PROCESSED);
        assertThat(scene.queries.reads).isZero();
        assertThat(scene.kept("a1").keyHash()).isZero();
    }
}

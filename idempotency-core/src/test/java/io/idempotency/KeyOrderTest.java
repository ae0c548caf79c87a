package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantinedMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A message of a key that is in quarantine keeps back the later ones of its key. The key is the first letter of the id; ids with "-" have none. */
class KeyOrderTest {

    private final Bench bench = new Bench();
    private final AtomicLong nanos = new AtomicLong();
    private final KeyQueries queries = new KeyQueries(bench.quarantine);
    private final IdempotentConsumer<Message> consumer = strong().build(nanos::get);

    private IdempotentConsumerBuilder<Message> strong() {
        return bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .quarantine(queries)
                .reader(Message.READER)
                .keyOrder(KeyOrderTest::key);
    }

    private static Optional<String> key(Message message) {
        return message.id().startsWith("-")
                ? Optional.empty()
                : Optional.of(message.id().substring(0, 1));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-10.1")
    void laterMessagesOfAKeyFollowItToQuarantine(ConsistencyLevel level) {
        IdempotentConsumer<Message> leveled = strong().level(level).build();
        poison("a1");

        BatchResult result = bench.deliver(
                Message.partition(0, "b1", "a1", "a2", "b2", "a3", "-1"),
                messages -> leveled.consumeAll(messages, bench::handle));

        assertThat(result.outcomes())
                .containsExactly(PROCESSED, QUARANTINED, QUARANTINED, PROCESSED, QUARANTINED, PROCESSED);
        assertThat(bench.effects).containsExactly("b1", "b2", "-1");
        assertThat(bench.calls).doesNotContain("a2", "a3");
        assertThat(kept("a1").isBehind()).isFalse();
        QuarantinedMessage behind = kept("a3");
        assertThat(behind.isBehind()).isTrue();
        assertThat(behind.keyHash()).isEqualTo(kept("a1").keyHash()).isNotZero();
        assertThat(behind.attempts()).isZero();
        assertThat(behind.payload().value()).isEqualTo("a3".getBytes(StandardCharsets.UTF_8));
        assertThat(behind.failure().type()).isEqualTo(BehindQuarantineException.class.getName());
        assertThat(behind.failure().text()).contains("a2 at orders-0@2");
    }

    @Test
    @Tag("rule-10.1")
    void tellsTheListenerBehindWhichMessage() {
        poison("a1");

        consumeOne("a1", 0);
        consumeOne("a2", 1);

        Consumption told = bench.lastEvent();
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
        IdempotentConsumer<Message> leveled = strong().level(level).build();
        poison("a1");
        leveled.consumeAll(Message.partition(0, "a1"), bench::handle);
        List<Integer> sizes = new ArrayList<>();

        BatchResult result = leveled.consumeBatch(
                List.of(Message.of("b1", 0, 1), Message.of("a2", 0, 2), Message.of("b2", 0, 3)), (messages, claims) -> {
                    sizes.add(messages.size());
                    bench.handleBatch(messages, claims);
                });

        assertThat(result.outcomes()).containsExactly(PROCESSED, QUARANTINED, PROCESSED);
        assertThat(sizes).containsExactly(2);
    }

    @Test
    @Tag("rule-10.1")
    void aKeyBlocksItsPartitionOnly() {
        poison("a1");

        consumeOne("a1", 0);

        assertThat(consumer.consume(Message.of("a2", 1, 1), bench::handle)).isEqualTo(PROCESSED);
    }

    @Test
    @Tag("rule-10.1")
    void whatTheCallerQuarantinesBlocksItsKey() {
        consumer.consume(Message.of("b1", 0, 0), bench::handle);

        consumer.quarantine(Message.of("a1", 0, 1), new IllegalStateException("by an error handler"));

        assertThat(consumeOne("a2", 2)).isEqualTo(QUARANTINED);
        assertThat(queries.reads).isEqualTo(1);
    }

    @Test
    @Tag("rule-10.2")
    void aNewOwnerReadsTheKeysOnce() {
        poison("a1");
        consumeOne("a1", 0);
        queries.reads = 0;
        IdempotentConsumer<Message> next = strong().build(nanos::get);

        assertThat(next.consume(Message.of("a2", 0, 1), bench::handle)).isEqualTo(QUARANTINED);
        assertThat(next.consume(Message.of("b1", 0, 2), bench::handle)).isEqualTo(PROCESSED);

        assertThat(queries.reads).isEqualTo(1);
    }

    @Test
    @Tag("rule-10.2")
    void readsTheKeysAgainIfAMessageDoesNotFollowTheLastOne() {
        consumeOne("b1", 0);
        byFormerOwner("a1", 1);

        assertThat(consumeOne("a2", 2)).isEqualTo(QUARANTINED);

        assertThat(queries.reads).isEqualTo(2);
    }

    @Test
    @Tag("rule-10.2")
    void readsTheKeysAgainAfterARevocationAndAfterAMinute() {
        consumeOne("b1", 0);
        consumer.revoked("orders", 0);
        consumeOne("b2", 1);
        nanos.addAndGet(Duration.ofMinutes(1).toNanos());
        consumeOne("b3", 2);
        consumeOne("b4", 3);

        assertThat(queries.reads).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-10.3")
    void aMessageThatALateOwnerQuarantinedBlocksTheNextOnes(ConsistencyLevel level) {
        IdempotentConsumer<Message> leveled = strong().level(level).build();
        leveled.consume(Message.of("b1", 0, 0), bench::handle);
        byFormerOwner("a1", 1);

        BatchResult result = bench.deliver(
                List.of(Message.of("a1", 0, 1), Message.of("a2", 0, 2), Message.of("b2", 0, 3)),
                messages -> leveled.consumeAll(messages, bench::handle));

        assertThat(result.outcomes()).containsExactly(QUARANTINED, QUARANTINED, PROCESSED);
        assertThat(bench.calls).containsExactly("b1", "b2");
        assertThat(queries.reads).isEqualTo(1);
    }

    @Test
    @Tag("rule-10.3")
    void aMessageThatALateOwnerQuarantinedBlocksLaterCalls() {
        consumeOne("b1", 0);
        byFormerOwner("a1", 1);

        assertThat(consumeOne("a1", 1)).isEqualTo(QUARANTINED);
        assertThat(consumeOne("a2", 2)).isEqualTo(QUARANTINED);
    }

    @Test
    @Tag("rule-10.3")
    void believesTheClaimRatherThanAnOldSnapshot() {
        poison("a0");
        consumeOne("a0", 0);
        drop("a0");
        byFormerOwner("a1", 1);
        queries.isBlind = true;

        BatchResult result =
                consumer.consumeAll(List.of(Message.of("a1", 0, 1), Message.of("a2", 0, 2)), bench::handle);

        assertThat(result.outcomes()).containsExactly(QUARANTINED, QUARANTINED);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-10.4")
    void aKeyWithoutMessagesInQuarantineIsFree(ConsistencyLevel level) {
        IdempotentConsumer<Message> leveled = strong().level(level).build();
        poison("a1");
        leveled.consumeAll(Message.partition(0, "a1"), bench::handle);
        drop("a1");

        assertThat(leveled.consume(Message.of("a2", 0, 1), bench::handle)).isEqualTo(PROCESSED);
        int queried = queries.verifications;
        assertThat(leveled.consume(Message.of("a3", 0, 2), bench::handle)).isEqualTo(PROCESSED);

        assertThat(queried).isEqualTo(1);
        assertThat(queries.verifications).isEqualTo(1);
    }

    @Test
    @Tag("rule-10.4")
    void aKeyIsNotFreeIfTheTransactionThatFoundItFreeIsRolledBack() {
        poison("a1");
        consumeOne("a1", 0);
        drop("a1");
        bench.failing.put("a2", new io.idempotency.store.TransientStoreException("later"));
        consumer.consumeAll(List.of(Message.of("a2", 0, 1)), bench::handle);

        bench.failing.clear();
        consumeOne("a2", 1);

        assertThat(queries.verifications).isEqualTo(2);
    }

    @Test
    @Tag("rule-10.4")
    void oneQueryServesAllMessagesOfAKeyInOneTransaction() {
        poison("a1");
        consumeOne("a1", 0);

        BatchResult result = consumer.consumeAll(
                List.of(Message.of("a2", 0, 1), Message.of("a3", 0, 2), Message.of("a4", 0, 3)), bench::handle);

        assertThat(result.outcomes()).containsOnly(QUARANTINED);
        assertThat(queries.verifications).isEqualTo(1);
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
                inside.add(bench.store.transactions().isActive());
                return Message.READER.payload(message);
            }
        };
        IdempotentConsumer<Message> reading = strong().reader(reader).build();
        reading.consume(Message.of("b1", 0, 0), bench::handle);
        byFormerOwner("a1", 1);

        reading.consumeAll(List.of(Message.of("a1", 0, 1), Message.of("a2", 0, 2)), bench::handle);

        assertThat(inside).isNotEmpty().containsOnly(false);
        assertThat(kept("a2").payload().value()).isNotEmpty();
    }

    @Test
    @Tag("rule-10.5")
    void aMessageWhoseKeyCannotBeReadStopsItsPartition() {
        IdempotentConsumer<Message> other = strong().keyOrder(
                        message -> message.id().startsWith("x") ? Optional.of(message) : key(message))
                .build();

        BatchResult result = other.consumeAll(
                List.of(Message.of("a1", 0, 0), Message.of("x1", 0, 1), Message.of("a2", 0, 2), Message.of("b1", 1, 0)),
                bench::handle);

        assertThat(result.outcomes()).containsExactly(PROCESSED, RELEASED, RELEASED, PROCESSED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
            assertThat(stop.cause().orElseThrow())
                    .hasMessageContainingAll("orders-0@1", Message.class.getName(), "keyOrder(..)");
        });
        assertThat(bench.quarantine.list("billing", 10)).isEmpty();
    }

    @Test
    @Tag("rule-10.5")
    void theCallerCannotQuarantineAMessageWhoseKeyIsUnknown() {
        IdempotentConsumer<Message> other = strong().keyOrder(Optional::of).build();

        BatchResult result = other.quarantine(Message.of("a1", 0, 0), new IllegalStateException("by an error handler"));

        assertThat(result.isSettled()).isFalse();
        assertThat(bench.quarantine.list("billing", 10)).isEmpty();
    }

    @Test
    @Tag("rule-10.5")
    void aMessageWithoutAPositionIsNotHandledWithoutAnOrder() {
        BatchResult result = consumer.consumeAll(List.of(new Message("a1", Position.UNKNOWN)), bench::handle);

        assertThat(result.stops().get(0).cause().orElseThrow()).hasMessageContaining("position");
        assertThat(bench.calls).isEmpty();
    }

    @Test
    @Tag("rule-10.5")
    void aMessageThatCannotBeDeserializedBlocksTheKeyOfItsBytes() {
        IdempotentConsumer<Message> ofReader = bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .reader(new KeyReader())
                .keyOrder()
                .build();
        byte[] key = "a".getBytes(StandardCharsets.UTF_8);

        ofReader.reject(
                new Position("orders", 0, 0),
                Optional.of("a1"),
                new Payload(key, new byte[] {1}, List.of(), Payload.Origin.RAW),
                new IllegalStateException("unreadable"));

        assertThat(ofReader.consume(Message.of("a2", 0, 1), bench::handle)).isEqualTo(QUARANTINED);
        assertThat(ofReader.consume(Message.of("b1", 0, 2), bench::handle)).isEqualTo(PROCESSED);
    }

    private static final class KeyReader implements MessageReader<Message> {

        @Override
        public Position position(Message message) {
            return message.position();
        }

        @Override
        public Optional<?> key(Message message) {
            return KeyOrderTest.key(message);
        }

        @Override
        public Payload payload(Message message) {
            return Message.READER.payload(message);
        }
    }

    @Test
    @Tag("rule-10.5")
    void refusesToRejectIfOnlyAFunctionKnowsTheKey() {
        BatchResult result = consumer.reject(
                new Position("orders", 0, 0),
                Optional.of("a1"),
                new Payload(new byte[1], new byte[1], List.of(), Payload.Origin.RAW),
                new IllegalStateException("unreadable"));

        assertThat(result.isSettled()).isFalse();
    }

    @Test
    @Tag("rule-10.8")
    void doesNotRunInATransactionOfTheCaller() {
        assertThatThrownBy(() -> bench.store.transactions().inTransaction(() -> consumeOne("a1", 0)))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("keeps the order of keys");
    }

    @Test
    @Tag("rule-10.8")
    void theBuilderSaysWhatIsMissing() {
        assertThatThrownBy(() -> IdempotentConsumer.<Message>named("billing")
                        .store(bench.store)
                        .messageId(Message::messageId)
                        .reader(Message.READER)
                        .keyOrder()
                        .build())
                .hasMessageContaining("needs quarantine(..)");
        assertThatThrownBy(() -> strong().level(ConsistencyLevel.NONE).build()).hasMessageContaining("NONE");
        assertThatThrownBy(
                        () -> strong().reader(MessageReader.withoutPosition()).build())
                .hasMessageContaining("needs a reader(..)");
    }

    @Test
    @Tag("rule-10.2")
    void duplicatesFromTheCacheDoNotHideAKey() {
        consumeOne("b1", 0);
        consumeOne("b2", 1);
        byFormerOwner("a1", 2);

        BatchResult result = consumer.consumeAll(
                List.of(Message.of("b1", 0, 0), Message.of("b2", 0, 1), Message.of("a1", 0, 2), Message.of("a2", 0, 3)),
                bench::handle);

        assertThat(result.outcomes()).containsExactly(DUPLICATE, DUPLICATE, QUARANTINED, QUARANTINED);
    }

    @Test
    @Tag("rule-10.1")
    void withoutTheOptionNothingIsAsked() {
        IdempotentConsumer<Message> unordered = bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .quarantine(queries)
                .build();
        poison("a1");

        unordered.consumeAll(Message.partition(0, "a1"), bench::handle);

        assertThat(unordered.consume(Message.of("a2", 0, 1), bench::handle)).isEqualTo(PROCESSED);
        assertThat(queries.reads).isZero();
        assertThat(kept("a1").keyHash()).isZero();
    }

    private void poison(String id) {
        bench.failing.put(id, new IllegalStateException("poison"));
    }

    private Outcome consumeOne(String id, long offset) {
        return consumer.consumeAll(List.of(Message.of(id, 0, offset)), bench::handle)
                .outcomes()
                .get(0);
    }

    private QuarantinedMessage kept(String id) {
        return bench.quarantine
                .find(new MessageId("billing", id))
                .map(QuarantineEntry::message)
                .orElseThrow();
    }

    private void drop(String id) {
        bench.quarantine.delete(new MessageId("billing", id));
    }

    /** Quarantines a message as a process does that owned the partition before. */
    private void byFormerOwner(String id, long offset) {
        Delivery delivery = new Delivery(new MessageId("billing", id), new Position("orders", 0, offset));
        bench.store.transactions().inTransaction(() -> {
            Claim claim = bench.store.claim(List.of(delivery)).get(0);
            bench.store.quarantine(claim);
            bench.quarantine.save(new QuarantinedMessage(
                    delivery,
                    Payload.none(Payload.Origin.POSITION_ONLY),
                    FailureText.forQuarantine(new IllegalStateException("poison")),
                    1,
                    KeyHash.of(id.substring(0, 1)),
                    false));
        });
    }
}

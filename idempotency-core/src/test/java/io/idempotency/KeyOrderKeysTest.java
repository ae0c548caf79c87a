package io.idempotency;

import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Messages whose key or position is unknown, or known only by their bytes. */
class KeyOrderKeysTest {

    private final KeyOrderScene scene = new KeyOrderScene();

    @Test
    @Tag("rule-10.5")
    void aMessageWhoseKeyCannotBeReadStopsItsPartition() {
        IdempotentConsumer<Message> other = scene.strong()
                .keyOrder(message -> message.id().startsWith("x") ? Optional.of(message) : KeyOrderScene.key(message))
                .build();

        BatchResult result = other.consumeAll(
                List.of(Message.of("a1", 0, 0), Message.of("x1", 0, 1), Message.of("a2", 0, 2), Message.of("b1", 1, 0)),
                scene.bench::handle);

        assertThat(result.outcomes()).containsExactly(PROCESSED, RELEASED, RELEASED, PROCESSED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
            assertThat(stop.cause().orElseThrow())
                    .hasMessageContainingAll("orders-0@1", Message.class.getName(), "keyOrder(..)");
        });
        assertThat(scene.bench.quarantine.list("billing", 10)).isEmpty();
    }

    @Test
    @Tag("rule-10.5")
    void theCallerCannotQuarantineAMessageWhoseKeyIsUnknown() {
        IdempotentConsumer<Message> other =
                scene.strong().keyOrder(Optional::of).build();

        BatchResult result = other.quarantine(Message.of("a1", 0, 0), new IllegalStateException("by an error handler"));

        assertThat(result.isSettled()).isFalse();
        assertThat(scene.bench.quarantine.list("billing", 10)).isEmpty();
    }

    @Test
    @Tag("rule-10.5")
    void aMessageWithoutAPositionIsNotHandledWithoutAnOrder() {
        BatchResult result =
                scene.consumer.consumeAll(List.of(new Message("a1", Position.UNKNOWN)), scene.bench::handle);

        assertThat(result.stops().get(0).cause().orElseThrow()).hasMessageContaining("position");
        assertThat(scene.bench.calls).isEmpty();
    }

    @Test
    @Tag("rule-10.5")
    void aMessageThatCannotBeDeserializedBlocksTheKeyOfItsBytes() {
        IdempotentConsumer<Message> ofReader = scene.bench
                .strong()
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

        assertThat(ofReader.consume(Message.of("a2", 0, 1), scene.bench::handle))
                .isEqualTo(QUARANTINED);
        assertThat(ofReader.consume(Message.of("b1", 0, 2), scene.bench::handle))
                .isEqualTo(PROCESSED);
    }

    private static final class KeyReader implements MessageReader<Message> {

        @Override
        public Position position(Message message) {
            return message.position();
        }

        @Override
        public Optional<?> key(Message message) {
            return KeyOrderScene.key(message);
        }

        @Override
        public Payload payload(Message message) {
            return Message.READER.payload(message);
        }
    }

    @Test
    @Tag("rule-10.5")
    void refusesToRejectIfOnlyAFunctionKnowsTheKey() {
        BatchResult result = scene.consumer.reject(
                new Position("orders", 0, 0),
                Optional.of("a1"),
                new Payload(new byte[1], new byte[1], List.of(), Payload.Origin.RAW),
                new IllegalStateException("unreadable"));

        assertThat(result.isSettled()).isFalse();
    }
}

package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ResendCheck.Policy;
import io.idempotency.ResendCheck.Result;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantinedMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Another message with the id of a processed one keeps back the later ones of its key. The key is the first letter of the id. */
@Tag("rule-10.10")
class KeyOrderResendsTest {

    private final Bench bench = new Bench();
    private Result result = Result.DIFFERENT;

    private IdempotentConsumer<Message> consumer(ConsistencyLevel level, Policy policy) {
        return bench.level(level)
                .keyOrder(message -> Optional.of(message.id().substring(0, 1)))
                .resends(new ResendCheck<>() {
                    @Override
                    public Policy policy() {
                        return policy;
                    }

                    @Override
                    public Result compare(Message message, Duplicate duplicate) {
                        return result;
                    }
                })
                .build();
    }

    private BatchResult consume(IdempotentConsumer<Message> consumer, Message... messages) {
        return consumer.consumeAll(List.of(messages), bench::handle);
    }

    private static Message at(long offset, String id) {
        return Message.of(id, 0, offset);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void blocksItsKeyForLaterCalls(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level, Policy.QUARANTINE);
        consume(consumer, at(0, "a1"), at(1, "a1"));

        assertThat(consume(consumer, at(2, "a2"), at(3, "b1")).outcomes()).containsExactly(QUARANTINED, PROCESSED);

        List<QuarantinedMessage> kept = kept();
        assertThat(kept).hasSize(2);
        assertThat(kept.get(0).keyHash())
                .isEqualTo(KeyHash.of("a"))
                .isEqualTo(kept.get(1).keyHash());
        assertThat(kept).extracting(QuarantinedMessage::isBehind).containsExactlyInAnyOrder(false, true);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void blocksItsKeyWithinACall(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level, Policy.QUARANTINE);

        BatchResult result =
                consume(consumer, at(0, "a1"), at(1, "b1"), at(2, "a1"), at(3, "b2"), at(4, "a2"), at(5, "b3"));

        assertThat(result.isSettled()).isTrue();
        assertThat(bench.effects).containsExactly("a1", "b1", "b2", "b3");
        assertThat(kept()).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(names = {"STRONG", "AT_LEAST_ONCE"})
    void blocksItsKeyWithinABatch(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level, Policy.QUARANTINE);
        consume(consumer, at(0, "a1"));

        BatchResult result = consumer.consumeBatch(
                List.of(at(1, "b1"), at(2, "a1"), at(3, "b2"), at(4, "a2"), at(5, "b3")), bench::handleBatch);

        assertThat(result.isSettled()).isTrue();
        assertThat(bench.effects).containsExactly("a1", "b1", "b2", "b3");
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void noLaterMessageOfItsKeyIsHandledIfItsPartitionStandsStill(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level, Policy.FAIL);
        consume(consumer, at(0, "a1"));

        BatchResult result = consume(consumer, at(1, "b1"), at(2, "a1"), at(3, "a2"));

        assertThat(result.outcomes()).containsExactly(PROCESSED, RELEASED, RELEASED);
        assertThat(bench.effects).containsExactly("a1", "b1");
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aCopyBlocksNothing(ConsistencyLevel level) {
        result = Result.SAME;
        IdempotentConsumer<Message> consumer = consumer(level, Policy.QUARANTINE);

        BatchResult result = consume(consumer, at(0, "a1"), at(1, "a1"), at(2, "a2"), at(3, "a2"), at(4, "a3"));

        assertThat(result.outcomes()).containsExactly(PROCESSED, DUPLICATE, PROCESSED, DUPLICATE, PROCESSED);
    }

    /** A former owner has quarantined it after the keys were read. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void oneThatALateOwnerQuarantinedBlocksTheNextOnes(ConsistencyLevel level) {
        IdempotentConsumer<Message> next = consumer(level, Policy.QUARANTINE);
        consume(next, at(0, "a1"));
        consume(consumer(level, Policy.QUARANTINE), at(1, "a1"));

        BatchResult result = consume(next, at(1, "a1"), at(2, "a2"));

        assertThat(result.outcomes()).containsExactly(QUARANTINED, QUARANTINED);
        assertThat(bench.effects).containsExactly("a1");
    }

    @Test
    void withoutAResendAllMessagesShareATransaction() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG, Policy.QUARANTINE);
        List<Integer> sizes = new ArrayList<>();

        consumer.consumeBatch(List.of(at(0, "a1"), at(1, "a2"), at(2, "b1")), (messages, claims) -> {
            sizes.add(messages.size());
        });

        assertThat(sizes).containsExactly(3);
    }

    private List<QuarantinedMessage> kept() {
        return bench.quarantine.list("billing", 10).stream()
                .map(id -> bench.quarantine.find(id).map(QuarantineEntry::message))
                .flatMap(Optional::stream)
                .toList();
    }
}

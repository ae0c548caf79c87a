package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class AtMostOnceLevelTest {

    private final Bench bench = new Bench();
    private final IdempotentConsumer<Message> consumer = bench.level(ConsistencyLevel.AT_MOST_ONCE)
            .cache(DuplicateCache.none())
            .build();

    @Test
    void commitsTheClaimBeforeTheHandlerRuns() {
        Outcome outcome = consumer.consume(Message.of("a", 0, 0), (message, claim) -> {
            assertThat(bench.store.transactions().isActive()).isFalse();
            assertThat(bench.store.find(new MessageId("billing", "a"))).isPresent();
            bench.handle(message, claim);
        });

        assertThat(outcome).isEqualTo(PROCESSED);
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(DUPLICATE);
    }

    @Test
    @Tag("rule-6.3")
    void claimsOneByOneSoThatACrashLosesOneEffect() {
        bench.failing.put("b", new OutOfMemoryError("the process dies here"));

        assertThatThrownBy(() -> consumer.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle))
                .isInstanceOf(OutOfMemoryError.class);

        assertThat(bench.store.find(new MessageId("billing", "b"))).isPresent();
        assertThat(bench.store.find(new MessageId("billing", "c"))).isEmpty();
    }

    @Test
    void recordsAFailureAndNeverRepeatsIt() {
        bench.failing.put("a", new IOException("no"));

        BatchResult result = consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle);

        assertThat(result.outcomes()).containsExactly(QUARANTINED, PROCESSED);
        bench.failing.clear();
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(QUARANTINED);
        assertThat(bench.effects).containsExactly("b");
        assertThat(bench.quarantine.find(new MessageId("billing", "a"))).isPresent();
    }

    @Test
    void neverRepeatsAHandlerThatFailedTransiently() {
        bench.failing.put("a", new TransientStoreException("deadlock"));

        assertThat(consumer.consumeAll(Message.partition(0, "a"), bench::handle).outcomes())
                .containsExactly(QUARANTINED);
    }

    @Test
    @Tag("rule-6.3")
    void believesTheLastRunOfARunnerThatRunsItsWorkAgain() {
        IdempotentConsumer<Message> again = bench.level(ConsistencyLevel.AT_MOST_ONCE)
                .cache(DuplicateCache.none())
                .transactions(work -> {
                    try {
                        bench.store.transactions().inTransaction(() -> {
                            work.run();
                            throw new TransientStoreException("deadlock");
                        });
                    } catch (TransientStoreException e) {
                        consumer.consume(Message.of("a", 1, 0), bench::handle);
                        bench.store.transactions().inTransaction(work);
                    }
                })
                .build();

        assertThat(again.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(DUPLICATE);
        assertThat(bench.calls).containsExactly("a");
    }

    @Test
    void comesBackLaterWhenTheClaimFailsTransiently() {
        IdempotentConsumer<Message> down = bench.level(ConsistencyLevel.AT_MOST_ONCE)
                .transactions(work -> {
                    throw new TransientStoreException("down");
                })
                .build();

        assertThat(down.consumeAll(Message.partition(0, "a", "b"), bench::handle)
                        .outcomes())
                .containsExactly(RELEASED, RELEASED);
        assertThat(bench.calls).isEmpty();
    }
}

package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.MessageId;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A message is never skipped that was not processed. */
class CacheSafetyTest {

    private final Bench bench = new Bench();
    private final IdempotentConsumer<Message> consumer = bench.strong().build();

    @Test
    void remembersAMessageAfterItsCommit() {
        consumer.consume(Message.of("a", 0, 0), (message, claim) -> {
            assertThat(bench.cache.known).isEmpty();
            bench.effect(message);
        });

        assertThat(bench.cache.known).containsOnlyKeys("a");
        bench.store.forget(new MessageId("billing", "a"));
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.DUPLICATE);
        assertThat(bench.lastEvent().duplicate().orElseThrow().kind()).isEqualTo(Duplicate.Kind.REDELIVERY);
    }

    @Test
    void remembersNothingOfARollback() {
        bench.failing.put("b", new IOException("no"));

        bench.deliver(
                List.of(Message.of("a", 0, 0), Message.of("b", 0, 1)),
                messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(bench.cache.known).containsOnlyKeys("a");
    }

    @Test
    void remembersNothingOfAnOuterTransactionThatRollsBackAfterTheFlowReturned() {
        assertThatThrownBy(() -> bench.store.transactions().inTransaction(() -> {
                    assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle))
                            .isEqualTo(Outcome.PROCESSED);
                    throw new IllegalStateException("outer");
                }))
                .hasMessage("outer");

        assertThat(bench.cache.known).isEmpty();
        assertThat(bench.events).isEmpty();
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.PROCESSED);
        assertThat(bench.effects).containsExactly("a");
    }

    @Test
    void remembersNothingOfAMessageConsumedTwiceInOneTransactionThatRollsBack() {
        assertThatThrownBy(() -> bench.store.transactions().inTransaction(() -> {
                    consumer.consume(Message.of("a", 0, 0), bench::handle);
                    assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle))
                            .isEqualTo(Outcome.DUPLICATE);
                    throw new IllegalStateException("outer");
                }))
                .hasMessage("outer");

        assertThat(bench.cache.known).isEmpty();
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.PROCESSED);
    }

    @Test
    void remembersAMessageOfAnOuterTransactionOnceItHasCommitted() {
        bench.store.transactions().inTransaction(() -> {
            consumer.consume(Message.of("a", 0, 0), bench::handle);
            assertThat(bench.cache.known).isEmpty();
        });

        assertThat(bench.cache.known).containsOnlyKeys("a");
        assertThat(bench.outcomes()).containsExactly(Outcome.PROCESSED);
    }

    @Test
    void processesAMessageAgainThatWasForgottenWhileItWasCached() {
        consumer.consume(Message.of("a", 0, 0), bench::handle);

        assertThat(consumer.forget("a")).isTrue();

        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.PROCESSED);
        assertThat(bench.effects).containsExactly("a", "a");
    }

    @Test
    void doesNotRememberAMessageThatWasForgottenBetweenTheClaimAndTheCommit() {
        consumer.consume(Message.of("a", 0, 0), bench::handle);
        bench.cache.known.clear();

        bench.store.transactions().inTransaction(() -> {
            assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.DUPLICATE);
            consumer.forget("a");
        });

        assertThat(bench.cache.known).isEmpty();
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.PROCESSED);
    }

    @Test
    @Tag("rule-4.10")
    void forgetsAgainAfterTheCommitWhatACopyBroughtBackMeanwhile() {
        consumer.consume(Message.of("a", 0, 0), bench::handle);
        DuplicateCache.Known known = bench.cache.known.get("a");

        bench.store.transactions().inTransaction(() -> {
            consumer.forget("a");
            // As by another thread, whose copy is a duplicate until the commit.
            bench.cache.known.put("a", known);
        });

        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.PROCESSED);
    }

    @Test
    @Tag("rule-4.10")
    void forgetsAndProcessesAgainInOneTransaction() {
        consumer.consume(Message.of("a", 0, 0), bench::handle);
        DuplicateCache.Known known = bench.cache.known.get("a");

        bench.store.transactions().inTransaction(() -> {
            consumer.forget("a");
            bench.cache.known.put("a", known);
            assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.PROCESSED);
        });

        assertThat(bench.effects).containsExactly("a", "a");
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.DUPLICATE);
    }

    @Test
    void doesNotRememberAQuarantinedMessage() {
        bench.failing.put("a", new IOException("no"));
        IdempotentConsumer<Message> impatient =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();

        impatient.consume(Message.of("a", 0, 0), bench::handle);
        impatient.consume(Message.of("a", 0, 0), bench::handle);

        assertThat(bench.outcomes()).containsExactly(Outcome.QUARANTINED, Outcome.QUARANTINED);
        assertThat(bench.cache.known).isEmpty();
    }

    @Test
    @Tag("rule-1.5")
    void refusesALevelWithItsOwnTransactionsInsideSomebodysTransaction() {
        for (ConsistencyLevel level : List.of(ConsistencyLevel.AT_LEAST_ONCE, ConsistencyLevel.AT_MOST_ONCE)) {
            IdempotentConsumer<Message> own = bench.level(level).build();
            bench.store
                    .transactions()
                    .inTransaction(() -> assertThatThrownBy(() -> own.consume(Message.of("a", 0, 0), bench::handle))
                            .hasMessageContaining(level.name()));
            own.close();
        }
        assertThat(bench.calls).isEmpty();
    }
}

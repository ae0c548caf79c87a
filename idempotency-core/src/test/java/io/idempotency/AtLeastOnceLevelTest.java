package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.IN_PROGRESS;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class AtLeastOnceLevelTest {

    private final Bench bench = new Bench();
    private final IdempotentConsumer<Message> consumer = consumer();

    private IdempotentConsumer<Message> consumer() {
        return bench.level(ConsistencyLevel.AT_LEAST_ONCE).build();
    }

    private static Delivery delivery(String id, long offset) {
        return new Delivery(new MessageId("billing", id), new Position("orders", 0, offset));
    }

    @AfterEach
    void close() {
        consumer.close();
    }

    @Test
    void handlesOutsideOfAnyTransactionAndCompletes() {
        List<Boolean> inTransaction = new ArrayList<>();

        BatchResult result = consumer.consumeAll(Message.partition(0, "a", "b"), (message, claim) -> {
            inTransaction.add(bench.store.transactions().isActive());
            bench.handle(message, claim);
        });

        assertThat(result.outcomes()).containsExactly(PROCESSED, PROCESSED);
        assertThat(inTransaction).containsOnly(false);
        bench.cache.known.clear();
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(DUPLICATE);
    }

    @Test
    @Tag("rule-6.2")
    void givesTheHandlerItsAttemptAsAFencingToken() {
        List<Integer> attempts = new ArrayList<>();
        bench.failing.put("a", new IOException("no"));
        consumer.consumeAll(Message.partition(0, "a"), bench::handle);

        consumer.consume(Message.of("a", 0, 0), (message, claim) -> attempts.add(claim.attempt()));

        assertThat(attempts).containsExactly(2);
    }

    @Test
    void comesBackLaterWithoutBlockingOtherPartitions() {
        bench.store.lease(List.of(delivery("b", 1)), Duration.ofMinutes(1));
        List<Message> messages = new ArrayList<>(Message.partition(0, "a", "b", "c"));
        messages.addAll(Message.partition(1, "x"));

        BatchResult result = consumer.consumeAll(messages, bench::handle);

        assertThat(result.outcomes()).containsExactly(PROCESSED, IN_PROGRESS, RELEASED, PROCESSED);
        assertThat(bench.events).noneMatch(event -> event.attempts() > 0);
    }

    @Test
    void settlesTheSecondCopyOfAPollAfterTheFirst() {
        List<Message> messages = new ArrayList<>(Message.partition(0, "a"));
        messages.addAll(Message.partition(1, "a", "b"));

        assertThat(consumer.consumeAll(messages, bench::handle).outcomes())
                .containsExactly(PROCESSED, DUPLICATE, PROCESSED);
        assertThat(bench.effects).containsExactly("a", "b");
    }

    @Test
    @Tag("rule-3.6")
    void countsOnlyStartedHandlersTowardsQuarantine() {
        bench.failing.put("b", new IOException("no"));
        List<Message> messages = Message.partition(0, "a", "b", "c", "d");

        consumer.consumeAll(messages, bench::handle);
        consumer.consumeAll(messages.subList(1, 4), bench::handle);
        BatchResult last = consumer.consumeAll(messages.subList(1, 4), bench::handle);

        assertThat(last.outcomes()).containsExactly(QUARANTINED, PROCESSED, PROCESSED);
        assertThat(bench.quarantine.list("billing", 10)).hasSize(1);
    }

    @Test
    @Tag("rule-3.6")
    void quarantinesPoisonThatKilledItsProcessAsOftenAsThePolicyAllows() {
        List<Message> messages = Message.partition(0, "a", "b");
        for (int crash = 0; crash < 3; crash++) {
            bench.store.lease(List.of(delivery("a", 0), delivery("b", 1)), Duration.ofMinutes(1));
            bench.passTime(Duration.ofSeconds(61));
        }

        BatchResult result = consumer.consumeAll(messages, bench::handle);

        assertThat(result.outcomes()).containsExactly(QUARANTINED, PROCESSED);
        assertThat(bench.effects).containsExactly("b");
    }

    @Test
    @Tag("rule-3.6")
    void completesWhatWasHandledWhileLaterHandlersOfThePollStillRun() {
        List<Boolean> completed = new ArrayList<>();
        long start = System.nanoTime();

        consumer.consumeAll(Message.partition(0, "a", "b", "c"), (message, claim) -> {
            if (message.id().equals("b")) {
                await().until(() -> System.nanoTime() - start > 10_000_000);
            }
            completed.add(bench.store.find(new MessageId("billing", "a")).isPresent());
        });

        assertThat(completed).startsWith(false).endsWith(true);
    }

    @Test
    void releasesWhatWasNotStartedWhenAHandlerFails() {
        bench.failing.put("a", new IOException("no"));

        consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle);

        List<Claim> claims = bench.store.lease(List.of(delivery("b", 1)), Duration.ofMinutes(1));
        assertThat(claims.get(0).isGranted()).isTrue();
        assertThat(claims.get(0).starts()).isZero();
    }

    @Test
    @Tag("rule-1.4")
    void releasesWithoutAStartWhenTheFailureIsTransient() {
        bench.failing.put("a", new TransientStoreException("deadlock"));
        for (int i = 0; i < 5; i++) {
            assertThat(consumer.consumeAll(Message.partition(0, "a"), bench::handle)
                            .outcomes())
                    .containsExactly(RELEASED);
        }
        bench.failing.clear();

        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(PROCESSED);
    }

    @Test
    @Tag("rule-3.5")
    void doesNotSettleAMessageWhoseLeaseAnotherAttemptHasTaken() {
        BatchResult result = consumer.consumeAll(Message.partition(0, "a", "b"), (message, claim) -> {
            bench.handle(message, claim);
            if (message.id().equals("a")) {
                bench.passTime(Duration.ofSeconds(61));
                bench.store.lease(List.of(delivery("a", 0)), Duration.ofMinutes(1));
            }
        });

        assertThat(result.outcomes().get(0)).isEqualTo(RELEASED);
        assertThat(bench.cache.known).doesNotContainKey("a");
    }

    @Test
    void completesWhatStandsBeforeTheMessageThatItsHandlerNames() {
        List<List<String>> batches = new ArrayList<>();
        IdempotentConsumer<Message> impatient = bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                .failures(FailurePolicy.quarantineAfter(1))
                .build();

        BatchHandler<Message> handler = (batch, claims) -> {
            List<String> ids = batch.stream().map(Message::id).toList();
            batches.add(ids);
            if (ids.contains("b")) {
                throw new BatchFailedException(ids.indexOf("b"), new IOException("no"));
            }
        };
        BatchResult result = bench.deliver(
                Message.partition(0, "a", "b", "c"), messages -> impatient.consumeBatch(messages, handler));
        impatient.close();

        assertThat(batches).containsExactly(List.of("a", "b", "c"), List.of("c"));
        assertThat(result.outcomes()).containsExactly(PROCESSED, QUARANTINED, PROCESSED);
    }

    @Test
    void bisectsABatchThatFails() {
        bench.failing.put("b", new IOException("no"));
        IdempotentConsumer<Message> impatient = bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                .failures(FailurePolicy.quarantineAfter(1))
                .build();

        BatchResult result = bench.deliver(
                Message.partition(0, "a", "b", "c", "d"),
                messages -> impatient.consumeBatch(messages, bench::handleBatch));
        impatient.close();

        assertThat(result.outcomes()).containsExactly(PROCESSED, QUARANTINED, PROCESSED, PROCESSED);
    }

    @Test
    void refusesAStoreThatDoesNotLend() {
        assertThatThrownBy(() -> bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                        .store(new ClaimsOnly(bench.store))
                        .build())
                .hasMessageContaining("AT_LEAST_ONCE")
                .hasMessageContaining("ClaimsOnly");
    }

    @Test
    void keepsTheLeaseOfARunningHandler() {
        IdempotentConsumer<Message> brief = bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                .lease(Duration.ofMillis(300))
                .build();

        Outcome outcome = brief.consume(Message.of("a", 0, 0), (message, claim) -> {
            java.time.Instant granted = bench.now();
            org.awaitility.Awaitility.await()
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> {
                        bench.passTime(Duration.ofMillis(5));
                        List<Claim> other = bench.store.lease(List.of(delivery("a", 0)), Duration.ofMinutes(1));
                        assertThat(other.get(0).status()).isEqualTo(Claim.Status.IN_PROGRESS);
                        return bench.now().isAfter(granted.plusMillis(900));
                    });
            bench.effect(message);
        });
        brief.close();

        assertThat(outcome).isEqualTo(PROCESSED);
    }
}

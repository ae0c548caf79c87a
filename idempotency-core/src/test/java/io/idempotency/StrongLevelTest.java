package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.IN_PROGRESS;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class StrongLevelTest {

    private final Bench bench = new Bench();

    private static List<Message> both(List<Message> one, List<Message> other) {
        return Stream.concat(one.stream(), other.stream()).toList();
    }

    @Test
    void handlesEveryMessageOnceInOrder() {
        IdempotentConsumer<Message> consumer = bench.strong().build();

        BatchResult result = consumer.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle);

        assertThat(result.outcomes()).containsExactly(PROCESSED, PROCESSED, PROCESSED);
        assertThat(result.isSettled()).isTrue();
        assertThat(bench.effects).containsExactly("a", "b", "c");
    }

    @Test
    void tellsARedeliveryFromAResend() {
        IdempotentConsumer<Message> consumer =
                bench.strong().cache(DuplicateCache.none()).build();
        consumer.consume(Message.of("a", 0, 7), bench::handle);
        bench.passTime(Duration.ofSeconds(60));

        assertThat(consumer.consume(Message.of("a", 0, 7), bench::handle)).isEqualTo(DUPLICATE);
        assertThat(bench.lastEvent().duplicate().orElseThrow())
                .isEqualTo(
                        new Duplicate(Duplicate.Kind.REDELIVERY, new Position("orders", 0, 7), Duration.ofSeconds(60)));
        assertThat(consumer.consume(Message.of("a", 2, 9), bench::handle)).isEqualTo(DUPLICATE);
        assertThat(bench.lastEvent().duplicate().orElseThrow().kind()).isEqualTo(Duplicate.Kind.RESEND);
        assertThat(bench.effects).containsExactly("a");
    }

    @Test
    void settlesACopyInsideAPollTogetherWithTheOneThatWasHandled() {
        BatchResult result = bench.strong()
                .build()
                .consumeAll(both(Message.partition(0, "a", "b"), Message.partition(1, "b", "c")), bench::handle);

        assertThat(result.outcomes()).containsExactly(PROCESSED, PROCESSED, DUPLICATE, PROCESSED);
        assertThat(bench.effects).containsExactly("a", "b", "c");
    }

    @Test
    @Tag("rule-1.3")
    void handlesTheSecondCopyOfAPollWhenTheFirstOneFails() {
        AtomicInteger tries = new AtomicInteger();
        IdempotentConsumer<Message> consumer = bench.strong().build();

        BatchResult result =
                consumer.consumeAll(both(Message.partition(0, "a"), Message.partition(1, "a")), (message, claim) -> {
                    tries.incrementAndGet();
                    if (message.position().partition() == 0) {
                        throw new IOException("only on partition 0");
                    }
                    bench.effect(message);
                });

        assertThat(result.outcomes()).containsExactly(RELEASED, PROCESSED);
        assertThat(bench.effects).containsExactly("a");
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(DUPLICATE);
    }

    @Test
    void settlesWhatStandsBeforeAFailureAndOtherPartitions() {
        bench.failing.put("b", new IOException("no"));

        IdempotentConsumer<Message> consumer = bench.strong().build();

        BatchResult result = bench.deliver(
                both(Message.partition(0, "a", "b", "c"), Message.partition(1, "x", "y")),
                messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(result.outcomes()).containsExactly(PROCESSED, RELEASED, RELEASED, PROCESSED, PROCESSED);
        assertThat(bench.effects).containsExactlyInAnyOrder("a", "x", "y");
        assertThat(result.stops()).hasSize(1);
        assertThat(result.stops().get(0).index()).isEqualTo(1);
        assertThat(result.stops().get(0).cause()).containsInstanceOf(IOException.class);
        assertThat(result.stops().get(0).retryAfter()).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    @Tag("rule-6.1")
    void repeatsWhatAHandlerDoesOutsideItsTransactionButNotItsEffect() {
        bench.failing.put("b", new IOException("no"));

        IdempotentConsumer<Message> consumer = bench.strong().build();
        bench.deliver(Message.partition(0, "a", "b"), messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(bench.calls).containsExactly("a", "b", "a", "b");
        assertThat(bench.effects).containsExactly("a");
    }

    @Test
    void quarantinesAMessageAfterItsLastAttemptAndGoesOnBehindIt() {
        bench.failing.put("b", new IOException("no"));
        IdempotentConsumer<Message> consumer = bench.strong().build();
        List<Message> messages = Message.partition(0, "a", "b", "c");

        bench.deliver(messages, polled -> consumer.consumeAll(polled, bench::handle));
        consumer.consumeAll(messages.subList(1, 3), bench::handle);
        BatchResult last = consumer.consumeAll(messages.subList(1, 3), bench::handle);

        assertThat(last.outcomes()).containsExactly(QUARANTINED, PROCESSED);
        assertThat(bench.effects).containsExactly("a", "c");
        var kept = bench.quarantine
                .find(new MessageId("billing", "b"))
                .orElseThrow()
                .message();
        assertThat(kept.attempts()).isEqualTo(3);
        assertThat(kept.failure().text()).contains("IOException").contains("no");
        assertThat(kept.payload().value()).asString().isEqualTo("b");
        assertThat(consumer.consume(messages.get(1), bench::handle)).isEqualTo(QUARANTINED);
    }

    @Test
    void standsStillWithoutAQuarantineStoreAndGoesOnOnceTheHandlerIsMended() {
        bench.failing.put("a", new IOException("no"));
        IdempotentConsumer<Message> consumer = IdempotentConsumer.<Message>named("billing")
                .store(bench.store)
                .messageId(Message::messageId)
                .reader(Message.READER)
                .failures(FailurePolicy.quarantineAfter(1))
                .build();

        BatchResult result =
                bench.deliver(Message.partition(0, "a", "b"), messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(result.outcomes()).containsExactly(RELEASED, RELEASED);
        assertThat(result.stops().get(0).retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
        bench.failing.clear();
        assertThat(consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle)
                        .isSettled())
                .isTrue();
        assertThat(bench.effects).containsExactly("a", "b");
    }

    @Test
    @Tag("rule-1.6")
    void standsStillWhenSeveralMessagesInARowFailTheSameWay() {
        IOException same = new IOException("the other system is down");
        List.of("a", "b", "c").forEach(id -> bench.failing.put(id, same));
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(2)
                .build();

        BatchResult result = bench.deliver(
                Message.partition(0, "a", "b", "c", "d"), messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(result.outcomes()).containsExactly(QUARANTINED, QUARANTINED, RELEASED, RELEASED);
        assertThat(result.stops().get(0).retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
    }

    @Test
    @Tag("rule-1.3")
    void chargesOnlyTheMessageThatFailsAlone() {
        AtomicInteger calls = new AtomicInteger();
        IdempotentConsumer<Message> consumer = bench.strong().build();

        BatchResult result = bench.deliver(
                Message.partition(0, "a", "b", "c"),
                messages -> consumer.consumeAll(messages, (message, claim) -> {
                    if (message.id().equals("b") && calls.incrementAndGet() == 1) {
                        throw new IOException("only together with another");
                    }
                    bench.effect(message);
                }));

        assertThat(result.isSettled()).isTrue();
        assertThat(bench.effects).containsExactly("a", "b", "c");
        assertThat(bench.events).allMatch(event -> event.outcome() == PROCESSED && event.attempts() == 0);
    }

    @Test
    @Tag("rule-1.3")
    void claimsAgainBeforeItRunsThePrefixAgain() throws InterruptedException {
        IdempotentConsumer<Message> consumer = bench.strong().build();
        IdempotentConsumer<Message> newOwner =
                bench.strong().cache(DuplicateCache.none()).build();
        List<Thread> others = new ArrayList<>();

        MessageHandler<Message> handler = (message, claim) -> {
            if (message.id().equals("b") && others.isEmpty()) {
                Thread other = new Thread(() -> newOwner.consume(Message.of("a", 0, 0), bench::handle));
                others.add(other);
                other.start();
                while (other.getState() != Thread.State.TIMED_WAITING && other.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
                throw new IOException("rolls back, so that the new owner gets a");
            }
            bench.effect(message);
        };
        bench.deliver(Message.partition(0, "a", "b"), messages -> consumer.consumeAll(messages, handler));
        others.get(0).join();

        assertThat(bench.effects).containsOnlyOnce("a").contains("b");
    }

    @Test
    @Tag("rule-1.3")
    void findsTheMessageWhoseCommitFails() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .transactions(work -> bench.store.transactions().inTransaction(() -> {
                    int before = bench.calls.size();
                    work.run();
                    if (bench.calls.subList(before, bench.calls.size()).contains("c")) {
                        throw new IllegalStateException("deferred constraint");
                    }
                }))
                .build();

        BatchResult result = bench.deliver(
                both(Message.partition(0, "a", "b", "c", "d"), Message.partition(1, "x")),
                messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(result.outcomes()).containsExactly(PROCESSED, PROCESSED, RELEASED, RELEASED, PROCESSED);
        assertThat(bench.effects).containsExactlyInAnyOrder("a", "b", "x");
        assertThat(bench.events)
                .filteredOn(event -> event.failure().isPresent())
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.delivery().id().value()).isEqualTo("c");
                    assertThat(event.attempts()).isEqualTo(1);
                });
    }

    @Test
    void bisectsABatchThatFails() {
        bench.failing.put("c", new IOException("no"));
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();

        BatchResult result = bench.deliver(
                Message.partition(0, "a", "b", "c", "d", "e"),
                messages -> consumer.consumeBatch(messages, bench::handleBatch));

        assertThat(result.outcomes()).containsExactly(PROCESSED, PROCESSED, QUARANTINED, PROCESSED, PROCESSED);
        assertThat(bench.effects).containsExactly("a", "b", "d", "e");
    }

    @Test
    void runsABatchAgainWithoutTheMessageThatItsHandlerNames() {
        List<List<String>> batches = new ArrayList<>();
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();

        BatchHandler<Message> handler = (batch, claims) -> {
            List<String> ids = batch.stream().map(Message::id).toList();
            batches.add(ids);
            if (ids.contains("d")) {
                throw new BatchFailedException(ids.indexOf("d"), new IOException("no"));
            }
            bench.handleBatch(batch, claims);
        };
        BatchResult result = bench.deliver(
                Message.partition(0, "a", "b", "c", "d", "e"), messages -> consumer.consumeBatch(messages, handler));

        assertThat(batches).containsExactly(List.of("a", "b", "c", "d", "e"), List.of("a", "b", "c"), List.of("e"));
        assertThat(result.outcomes()).containsExactly(PROCESSED, PROCESSED, PROCESSED, QUARANTINED, PROCESSED);
        assertThat(bench.effects).containsExactly("a", "b", "c", "e");
        assertThat(bench.events)
                .filteredOn(event -> event.outcome() == QUARANTINED)
                .allSatisfy(event -> assertThat(event.failure().orElseThrow()).isInstanceOf(IOException.class));
    }

    @Test
    @Tag("rule-1.4")
    void neverCountsATransientFailureAndHalvesTheChunk() {
        List<Integer> chunks = new ArrayList<>();
        TransientStoreException deadlock = new TransientStoreException("deadlock");
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();
        List<Message> messages = Message.partition(0, "a", "b", "c", "d");
        BatchHandler<Message> down = (batch, claims) -> {
            chunks.add(batch.size());
            throw deadlock;
        };

        for (int i = 0; i < 5; i++) {
            BatchResult result = consumer.consumeBatch(messages, down);
            assertThat(result.outcomes()).containsOnly(RELEASED);
            assertThat(result.stops().get(0).retryAfter()).isBetween(Duration.ofMillis(100), Duration.ofSeconds(10));
        }

        assertThat(chunks).containsExactly(4, 2, 1, 1, 1);
        assertThat(bench.events).allMatch(event -> event.isTransient() && event.attempts() == 0);
        assertThat(consumer.consumeBatch(messages, bench::handleBatch).isSettled())
                .isTrue();
        assertThat(bench.effects).containsExactly("a", "b", "c", "d");
    }

    @Test
    @Tag("rule-1.1")
    void settlesNothingWhenTheRunnerReturnsWithoutACommit() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .transactions(work -> {
                    try {
                        bench.store.transactions().inTransaction(() -> {
                            work.run();
                            throw new IllegalStateException("set to roll back");
                        });
                    } catch (IllegalStateException e) {
                        assertThat(e).hasMessage("set to roll back");
                    }
                })
                .build();

        BatchResult result = consumer.consumeAll(Message.partition(0, "a"), bench::handle);

        assertThat(result.outcomes()).containsExactly(RELEASED);
        assertThat(result.stops().get(0).cause()).containsInstanceOf(TransactionLostException.class);
        assertThat(bench.effects).isEmpty();
        assertThat(bench.cache.known).isEmpty();
    }

    @Test
    @Tag("rule-1.2")
    void leavesTheDecisionToTheRedeliveryWhenTheOutcomeOfTheCommitIsUnknown() {
        AtomicInteger commits = new AtomicInteger();
        IdempotentConsumer<Message> consumer = bench.strong()
                .transactions(work -> {
                    bench.store.transactions().inTransaction(work);
                    if (commits.incrementAndGet() == 1) {
                        throw new TransientStoreException("connection lost during commit");
                    }
                })
                .build();

        BatchResult result = consumer.consumeAll(Message.partition(0, "a"), bench::handle);

        assertThat(result.outcomes()).containsExactly(RELEASED);
        assertThat(bench.cache.known).isEmpty();
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(DUPLICATE);
        assertThat(bench.effects).containsExactly("a");
    }

    @Test
    void comesBackLaterForAMessageThatIsLeasedToSomebodyElse() {
        Delivery leased = new Delivery(new MessageId("billing", "b"), new Position("orders", 0, 1));
        bench.store.lease(List.of(leased), Duration.ofMinutes(1));
        IdempotentConsumer<Message> consumer = bench.strong().build();
        List<Message> messages = both(Message.partition(0, "a", "b", "c"), Message.partition(1, "x"));

        BatchResult result = consumer.consumeAll(messages, bench::handle);

        assertThat(result.outcomes()).containsExactly(RELEASED, IN_PROGRESS, RELEASED, PROCESSED);
        bench.passTime(Duration.ofSeconds(61));
        assertThat(consumer.consumeAll(messages.subList(0, 3), bench::handle).isSettled())
                .isTrue();
        assertThat(bench.effects).containsExactly("x", "a", "b", "c");
    }

    @Test
    void refusesARunnerThatDoesNotRunTransactionsOnTheStore() {
        IdempotentConsumer<Message> consumer =
                bench.strong().transactions(Runnable::run).build();

        assertThatThrownBy(() -> consumer.consumeAll(Message.partition(0, "a"), bench::handle))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("orders-0@0");
        assertThat(bench.effects).isEmpty();
    }

    @Test
    void quarantinesAMessageWithoutAnIdAndGoesOn() {
        BatchResult result = bench.strong().build().consumeAll(Message.partition(0, "a", "", "c"), bench::handle);

        assertThat(result.outcomes()).containsExactly(PROCESSED, QUARANTINED, PROCESSED);
        assertThat(bench.effects).containsExactly("a", "c");
        assertThat(bench.quarantine.list("billing", 10))
                .singleElement()
                .satisfies(id -> assertThat(bench.quarantine
                                .find(id)
                                .orElseThrow()
                                .message()
                                .failure()
                                .text())
                        .contains("orders-0@1"));
    }

    @Test
    void chargesAnErrorOfTheHandlerLikeAnException() {
        bench.failing.put("a", new StackOverflowError());
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();

        assertThat(bench.deliver(
                                Message.partition(0, "a", "b"),
                                messages -> consumer.consumeAll(messages, bench::handle))
                        .outcomes())
                .containsExactly(QUARANTINED, PROCESSED);
    }

    @Test
    void letsAnErrorOfTheVirtualMachineLeaveAndRecordsNothing() {
        bench.failing.put("b", new OutOfMemoryError("made up"));
        IdempotentConsumer<Message> consumer = bench.strong().build();

        assertThatThrownBy(() -> consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle))
                .isInstanceOf(OutOfMemoryError.class);
        assertThat(bench.effects).isEmpty();
        assertThat(bench.cache.known).isEmpty();
    }

    @Test
    void letsTheExceptionOfASingleMessageLeaveUnwrapped() {
        IOException failure = new IOException("no");
        bench.failing.put("a", failure);

        assertThatThrownBy(() -> bench.strong().build().consume(Message.of("a", 0, 0), bench::handle))
                .isSameAs(failure);
    }

    @Test
    void usesATransactionPerRecordWhenAskedTo() {
        AtomicInteger transactions = new AtomicInteger();
        IdempotentConsumer<Message> consumer = bench.strong()
                .transactionPer(TransactionPer.RECORD)
                .transactions(work -> {
                    transactions.incrementAndGet();
                    bench.store.transactions().inTransaction(work);
                })
                .build();

        consumer.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle);

        assertThat(transactions).hasValue(3);
    }

    @Test
    void gathersAtMostAsManyMessagesInATransactionAsAChunkMayHave() {
        List<Integer> chunks = new ArrayList<>();
        String[] ids = IntStream.range(0, 25).mapToObj(i -> "id-" + i).toArray(String[]::new);

        bench.strong()
                .chunk(10, Duration.ofMinutes(1))
                .build()
                .consumeBatch(Message.partition(0, ids), (batch, claims) -> {
                    chunks.add(batch.size());
                    bench.handleBatch(batch, claims);
                });

        assertThat(chunks).containsExactly(10, 10, 5);
    }

    @Test
    void returnsBeforeItsTimeIsOverAndMakesProgressWithSmallerChunks() {
        IdempotentConsumer<Message> consumer =
                bench.strong().chunk(8, Duration.ofNanos(1)).build();
        List<Message> open = new ArrayList<>(Message.partition(0, "a", "b", "c", "d"));

        int calls = 0;
        while (!open.isEmpty() && calls++ < 20) {
            BatchResult result = consumer.consumeAll(List.copyOf(open), bench::handle);
            open.subList(0, (int) result.outcomes().stream()
                            .filter(Outcome::isSettled)
                            .count())
                    .clear();
            assertThat(result.stops()).allMatch(stop -> stop.retryAfter().isZero());
        }

        assertThat(bench.effects).containsExactly("a", "b", "c", "d");
    }
}

package io.idempotency;

import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of messages that fail together: no object is handled twice, and the work stays bounded. */
class SuspectsTest {

    private final Bench bench = new Bench();
    private final FaultyStore counting = new FaultyStore(bench.store);

    private static List<Message> messages(int partition, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Message.of(partition + "-" + i, partition, i))
                .toList();
    }

    /** Each partition has one message. */
    private static List<Message> partitions(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Message.of("p" + i, i, 0))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-1.9")
    void handsNoObjectToAHandlerTwiceInOneCall(ConsistencyLevel level) {
        List.of("0-2", "1-0", "1-5").forEach(id -> bench.failing.put(id, new IOException("no")));
        Set<String> onceOnly = new HashSet<>(List.of("0-4"));
        Map<Message, Boolean> handed = Collections.synchronizedMap(new IdentityHashMap<>());
        List<Message> polled = new ArrayList<>(messages(0, 6));
        polled.addAll(messages(1, 6));
        BatchHandler<Message> batch = (messages, claims) -> {
            for (int i = 0; i < messages.size(); i++) {
                assertThat(handed.put(messages.get(i), true)).isNull();
            }
            for (int i = 0; i < messages.size(); i++) {
                if (onceOnly.remove(messages.get(i).id())) {
                    throw new TransientStoreException("deadlock");
                }
                bench.handle(messages.get(i), claims.get(i));
            }
        };
        for (boolean isBatch : new boolean[] {true, false}) {
            IdempotentConsumer<Message> consumer =
                    bench.level(level).failures(FailurePolicy.leaveToCaller()).build();
            bench.deliver(
                    polled,
                    messages -> isBatch
                            ? consumer.consumeBatch(messages, batch)
                            : consumer.consumeAll(
                                    messages, (message, claim) -> batch.handle(List.of(message), List.of(claim))));
            consumer.close();
        }

        assertThat(handed).isNotEmpty();
        assertThat(bench.effects).contains("0-0", "0-1");
    }

    @Test
    @Tag("rule-1.9")
    void handsNoObjectToAHandlerTwiceWhereTheTransactionRunnerRunsItsWorkAgain() {
        bench.failing.put("a", new TransientStoreException("deadlock"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .transactions(work -> {
                    try {
                        bench.store.transactions().inTransaction(work);
                    } catch (RuntimeException e) {
                        bench.failing.clear();
                        bench.store.transactions().inTransaction(work);
                    }
                })
                .build();

        assertThat(consumer.consumeAll(Message.partition(0, "a"), bench::handle).outcomes())
                .containsExactly(RELEASED);
        assertThat(bench.calls).containsExactly("a");
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(PROCESSED);
    }

    @Test
    @Tag("rule-1.10")
    void goesOnWithPartitionsThatTheHandlerHasNotSeen() {
        bench.failing.put("0-1", new IOException("no"));
        List<Message> polled = new ArrayList<>(messages(0, 3));
        polled.addAll(messages(1, 2));

        BatchResult result = bench.strong().build().consumeAll(polled, bench::handle);

        assertThat(result.outcomes()).containsExactly(RELEASED, RELEASED, RELEASED, PROCESSED, PROCESSED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.index()).isZero();
            assertThat(stop.retryAfter()).isZero();
            assertThat(stop.isCharged()).isFalse();
            assertThat(stop.cause()).containsInstanceOf(IOException.class);
        });
        assertThat(bench.events).extracting(Consumption::outcome).containsExactly(PROCESSED, PROCESSED);
    }

    @Test
    @Tag("rule-1.10")
    void claimsALinearNumberOfMessagesWhenOneFailsInEachPartition() {
        List<Message> polled = partitions(400);
        polled.forEach(message -> bench.failing.put(message.id(), new IOException("no")));
        IdempotentConsumer<Message> consumer =
                bench.strong().store(counting.store).build();

        BatchResult result = bench.deliver(polled, messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(result.stops()).hasSize(400).allMatch(Stop::isCharged);
        assertThat(bench.deliveries).isEqualTo(2);
        assertThat(counting.claimed.stream().mapToInt(Integer::intValue).sum()).isLessThan(4 * 400);
    }

    @Test
    @Tag("rule-1.10")
    void findsTheMessageThatABatchFailsOfInAsManyDeliveriesAsItCanBeHalved() {
        List<Message> polled = messages(0, 500);
        bench.failing.put("0-300", new IOException("no"));
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();

        BatchResult result = bench.deliver(polled, messages -> consumer.consumeBatch(messages, bench::handleBatch));

        assertThat(result.isSettled()).isTrue();
        assertThat(result.outcomes().get(300)).isEqualTo(QUARANTINED);
        assertThat(bench.effects).hasSize(499);
        assertThat(bench.deliveries).isLessThanOrEqualTo(10);
        assertThat(bench.calls).hasSizeLessThan(5 * 500);
    }

    @Test
    @Tag("rule-1.10")
    void findsThePartitionThatABatchFailsOfInAsManyDeliveriesAsItCanBeHalved() {
        List<Message> polled = partitions(400);
        bench.failing.put("p123", new IOException("no"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .store(counting.store)
                .failures(FailurePolicy.quarantineAfter(1))
                .build();

        BatchResult result = bench.deliver(polled, messages -> consumer.consumeBatch(messages, bench::handleBatch));

        assertThat(result.outcomes().get(123)).isEqualTo(QUARANTINED);
        assertThat(bench.effects).hasSize(399);
        assertThat(bench.deliveries).isLessThanOrEqualTo(10);
        assertThat(counting.count("claim")).isLessThan(40);
    }

    /** Nothing is charged, for nothing fails alone; each delivery but the first few settles all it brings, or finds out why not. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("rule-1.10")
    void getsOnWithAHandlerThatStandsNoCompany(boolean isBatch) {
        List<Integer> deliveries = new ArrayList<>();
        IdempotentConsumer<Message> consumer = bench.strong().build();
        List<String> together = new ArrayList<>();
        MessageHandler<Message> alone = (message, claim) -> {
            together.add(message.id());
            if (together.size() > 1) {
                together.clear();
                throw new IOException("not in company");
            }
            bench.store.transactions().afterCommit(together::clear);
            bench.effect(message);
        };

        for (int poll = 0; poll < 4; poll++) {
            int from = poll * 200;
            List<Message> polled = IntStream.range(from, from + 200)
                    .mapToObj(i -> Message.of("id-" + i, 0, i))
                    .toList();
            bench.deliveries = 0;
            BatchResult result = bench.deliver(
                    polled,
                    messages -> isBatch
                            ? consumer.consumeBatch(messages, (batch, claims) -> {
                                for (int i = 0; i < batch.size(); i++) {
                                    alone.handle(batch.get(i), claims.get(i));
                                }
                            })
                            : consumer.consumeAll(messages, alone));
            assertThat(result.outcomes()).containsOnly(PROCESSED);
            deliveries.add(bench.deliveries);
        }

        assertThat(bench.effects).hasSize(800).doesNotHaveDuplicates();
        assertThat(bench.events).allMatch(event -> event.attempts() == 0);
        assertThat(deliveries.get(0)).isLessThanOrEqualTo(10);
        assertThat(deliveries.subList(1, 4)).allMatch(count -> count <= 2);
    }

    @Test
    @Tag("rule-1.10")
    void freesThePartitionAgainOnceTheCulpritIsFound() {
        List<Integer> batches = new ArrayList<>();
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();
        bench.failing.put("0-3", new IOException("no"));
        bench.deliver(messages(0, 8), messages -> consumer.consumeBatch(messages, bench::handleBatch));

        consumer.consumeBatch(
                IntStream.range(8, 16).mapToObj(i -> Message.of("n" + i, 0, i)).toList(), (batch, claims) -> {
                    batches.add(batch.size());
                });

        assertThat(batches).containsExactly(8);
    }

    @Test
    @Tag("rule-1.10")
    void findsEachOfSeveralThatFailWithoutAPosition() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .reader(MessageReader.withoutPosition())
                .failures(FailurePolicy.quarantineAfter(1))
                .build();
        List<List<Message>> lists = List.of(messages(0, 3), messages(1, 3));
        lists.forEach(list -> bench.failing.put(list.get(1).id(), new IOException("no")));

        for (int i = 0; i < 4; i++) {
            lists.forEach(list -> consumer.consumeAll(list, bench::handle));
        }

        assertThat(bench.quarantine.list("billing", 10)).hasSize(2);
        assertThat(bench.effects).containsExactlyInAnyOrder("0-0", "0-2", "1-0", "1-2");
    }

    @Test
    @Tag("rule-1.11")
    void doesNotCallAHandlerAgainForTheMessageThatItNamedBeforeItsBackOff() {
        BatchHandler<Message> naming = naming("b");
        IdempotentConsumer<Message> consumer = bench.strong().build();

        BatchResult result =
                bench.deliver(Message.partition(0, "a", "b", "c"), messages -> consumer.consumeBatch(messages, naming));

        assertThat(bench.calls).containsExactly("a", "b", "a");
        assertThat(bench.effects).containsExactly("a");
        assertThat(result.outcomes()).containsExactly(PROCESSED, RELEASED, RELEASED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.index()).isEqualTo(1);
            assertThat(stop.isCharged()).isTrue();
            assertThat(stop.retryAfter()).isPositive();
            assertThat(stop.cause()).containsInstanceOf(IOException.class);
        });
        assertThat(bench.lastEvent().attempts()).isEqualTo(1);
    }

    @Test
    @Tag("rule-1.11")
    void doesNotChargeANamedMessageThatSomebodyElseProcessedMeanwhile() {
        BatchHandler<Message> naming = naming("b");
        IdempotentConsumer<Message> consumer =
                bench.strong().cache(DuplicateCache.none()).build();
        List<Message> polled = Message.partition(0, "a", "b", "c");
        consumer.consumeBatch(polled, naming);
        bench.strong().build().consumeAll(polled, (message, claim) -> bench.effect(message));

        assertThat(consumer.consumeBatch(polled, naming).outcomes()).containsOnly(Outcome.DUPLICATE);
        assertThat(bench.events).allMatch(event -> event.attempts() == 0);
    }

    private BatchHandler<Message> naming(String bad) {
        return (batch, claims) -> {
            for (int i = 0; i < batch.size(); i++) {
                bench.calls.add(batch.get(i).id());
                if (batch.get(i).id().equals(bad)) {
                    throw new BatchFailedException(i, new IOException("named"));
                }
                bench.effect(batch.get(i));
            }
        };
    }

    @Test
    @Tag("rule-1.9")
    void leavesTheWholeTransactionOfACallerToHim() {
        bench.failing.put("b", new IOException("no"));
        IdempotentConsumer<Message> consumer = bench.strong().build();

        assertThatThrownBy(() -> bench.store
                        .transactions()
                        .inTransaction(() -> consumer.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle)))
                .isInstanceOf(IOException.class);

        assertThat(bench.calls).containsExactly("a", "b");
    }
}

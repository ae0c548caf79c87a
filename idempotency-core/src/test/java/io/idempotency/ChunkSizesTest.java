package io.idempotency;

import static io.idempotency.Outcome.PROCESSED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How many messages are worked on together: less in trouble, all again after it. */
class ChunkSizesTest {

    private final Bench bench = new Bench();
    private final FaultyStore faulty = new FaultyStore(bench.store);
    private final List<Integer> chunks = new ArrayList<>();

    private static List<Message> eight(int from) {
        return IntStream.range(from, from + 8)
                .mapToObj(i -> Message.of("id-" + i, 0, i))
                .toList();
    }

    private void handleBatch(List<Message> batch, List<io.idempotency.store.Claim> claims) throws Exception {
        chunks.add(batch.size());
        bench.handleBatch(batch, claims);
    }

    @ParameterizedTest
    @EnumSource(names = "AT_MOST_ONCE", mode = EnumSource.Mode.EXCLUDE)
    @Tag("rule-1.4")
    void growAgainAfterTransientFailures(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer =
                bench.level(level).chunk(8, Duration.ofMinutes(1)).build();
        for (int i = 0; i < 4; i++) {
            consumer.consumeBatch(eight(0), (batch, claims) -> {
                throw new TransientStoreException("down");
            });
        }

        for (int from = 0; from < 32; from += 8) {
            assertThat(consumer.consumeBatch(eight(from), this::handleBatch).outcomes())
                    .containsOnly(PROCESSED);
        }

        consumer.close();
        assertThat(chunks).startsWith(1, 2, 4).endsWith(8);
    }

    @Test
    @Tag("rule-3.8")
    void keepAPartitionThatMeetsATransientFailureFromHoldingUpTheOthers() {
        bench.failing.put("b", new TransientStoreException("waited too long for another transaction"));
        IdempotentConsumer<Message> consumer = bench.strong().build();
        List<Message> polled = new ArrayList<>(Message.partition(0, "a"));
        polled.addAll(Message.partition(1, "b", "c", "d", "e"));
        polled.addAll(Message.partition(2, "f"));
        consumer.consumeBatch(polled, bench::handleBatch);

        BatchResult result = consumer.consumeBatch(polled, bench::handleBatch);

        assertThat(bench.effects).containsExactly("a", "f");
        assertThat(result.stops()).extracting(Stop::index).containsExactly(1);
    }

    @Test
    @Tag("rule-1.4")
    void growAgainWhenLeasingFailedForATime() {
        IdempotentConsumer<Message> consumer = bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                .store(faulty.store)
                .chunk(8, Duration.ofMinutes(1))
                .build();
        faulty.fail("lease", new TransientStoreException("down"));
        for (int i = 0; i < 4; i++) {
            consumer.consumeAll(eight(0), bench::handle);
        }
        faulty.mend();

        for (int from = 0; from < 32; from += 8) {
            consumer.consumeAll(eight(from), bench::handle);
        }

        consumer.close();
        assertThat(faulty.leased).startsWith(8, 4, 2, 1).endsWith(8);
    }

    @Test
    void stayAsSmallAsTheyWereWhileAMessageIsInProgressElsewhere() {
        IdempotentConsumer<Message> consumer =
                bench.strong().chunk(8, Duration.ofMinutes(1)).build();
        consumer.consumeBatch(eight(0), (batch, claims) -> {
            throw new TransientStoreException("down");
        });
        bench.store.lease(
                List.of(new Delivery(new MessageId("billing", "id-0"), new Position("orders", 0, 0))),
                Duration.ofMinutes(1));
        consumer.consumeBatch(eight(0), this::handleBatch);
        bench.passTime(Duration.ofSeconds(61));

        consumer.consumeBatch(eight(0), this::handleBatch);

        assertThat(chunks).startsWith(4);
    }

    @Test
    void takeNoTransactionForEachDuplicateThatStandsBeforeAFailingMessage() {
        bench.failing.put("id-7", new IOException("no"));
        bench.strong().build().consumeAll(eight(0).subList(0, 7), bench::handle);
        IdempotentConsumer<Message> restarted =
                bench.strong().cache(DuplicateCache.none()).store(faulty.store).build();

        bench.deliver(eight(0), messages -> restarted.consumeAll(messages, bench::handle));

        assertThat(faulty.count("claim")).isEqualTo(3);
        assertThat(bench.lastEvent().attempts()).isEqualTo(1);
    }

    @Test
    @Tag("rule-7.9")
    void costClaimsInProportionToThePartitionsThatFail() {
        AtomicInteger claimed = new AtomicInteger();
        faulty.fault = (verb, arguments) -> {
            claimed.addAndGet(verb.equals("claim") ? ((List<?>) arguments[0]).size() : 0);
            return Optional.empty();
        };
        List<Message> polled = IntStream.range(0, 400)
                .mapToObj(i -> Message.of("id-" + i, i, 0))
                .toList();
        polled.forEach(message -> bench.failing.put(message.id(), new IOException("no")));
        IdempotentConsumer<Message> consumer =
                bench.strong().store(faulty.store).build();
        while (!consumer.consumeAll(polled, bench::handle).stops().stream().allMatch(Stop::isCharged)) {
            assertThat(claimed).hasValueLessThan(4 * 400);
        }

        assertThat(claimed).hasValueLessThan(4 * 400);
    }

    @Test
    @Tag("rule-7.9")
    void growAgainBehindAMessageThatFailed() {
        bench.failing.put("id-0", new IOException("no"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .store(faulty.store)
                .chunk(16, Duration.ofMinutes(1))
                .build();
        List<Message> polled = new ArrayList<>(eight(0).subList(0, 1));
        IntStream.range(0, 100).mapToObj(i -> Message.of("x-" + i, 1, i)).forEach(polled::add);

        BatchResult result = consumer.consumeAll(polled, bench::handle);

        assertThat(result.stops()).extracting(Stop::index).containsExactly(0);
        assertThat(faulty.count("claim")).isLessThan(12);
    }

    @ParameterizedTest
    @EnumSource(names = "AT_MOST_ONCE", mode = EnumSource.Mode.EXCLUDE)
    void shrinkUntilABatchThatFailsLateMakesProgress(ConsistencyLevel level) {
        List<Message> open = new ArrayList<>(eight(0));
        open.forEach(message -> bench.failing.put(message.id(), new IOException("no")));
        IdempotentConsumer<Message> consumer = bench.level(level)
                .chunk(8, Duration.ofNanos(1))
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(100)
                .build();

        int calls = 0;
        while (!open.isEmpty() && calls++ < 50) {
            BatchResult result = consumer.consumeBatch(List.copyOf(open), this::handleBatch);
            long settled = result.outcomes().stream().filter(Outcome::isSettled).count();
            assertThat(settled)
                    .as("a call whose time is over begins nothing new")
                    .isLessThan(5);
            open.subList(0, (int) settled).clear();
        }

        consumer.close();
        assertThat(open).isEmpty();
    }
}

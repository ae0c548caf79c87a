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
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class AtMostOnceLevelTest {

    private final Bench bench = new Bench();
    private final IdempotentConsumer<Message> consumer = bench.level(ConsistencyLevel.AT_MOST_ONCE)
            .cache(DuplicateCache.none())
            .build();

    private long nanos;

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

    /** Nothing is lost of what stands still: it is not claimed. */
    @Test
    @Tag("rule-1.17")
    void standsStillAfterEqualFailuresInARow() {
        fail("a", "b", "c", "d");
        IdempotentConsumer<Message> standing = standingStill();

        BatchResult result = standing.consumeAll(Message.partition(0, "a", "b", "c", "d"), bench::handle);

        assertThat(result.outcomes()).containsExactly(QUARANTINED, QUARANTINED, RELEASED, RELEASED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.index()).isEqualTo(2);
            assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
            assertThat(stop.isCharged()).isFalse();
        });
        assertThat(bench.calls).containsExactly("a", "b");
        assertThat(bench.store.find(new MessageId("billing", "c"))).isEmpty();
        assertThat(bench.lastEvent().outcome()).isEqualTo(RELEASED);
        assertThat(bench.lastEvent().failure())
                .hasValueSatisfying(failure -> assertThat(failure)
                        .hasMessageContaining("2 messages in a row failed in the same way")
                        .hasMessageContaining("java.io.IOException"));
    }

    @Test
    @Tag("rule-1.17")
    void triesOneMessageAfterEachPauseAndPausesLongerEachTime() {
        fail("a", "b", "c", "d", "e");
        IdempotentConsumer<Message> standing = standingStill();
        standing.consumeAll(Message.partition(0, "a", "b", "c", "d", "e"), bench::handle);

        passTime(Duration.ofSeconds(29));
        assertThat(rest(standing, "c", "d", "e").outcomes()).containsOnly(RELEASED);
        passTime(Duration.ofSeconds(1));
        assertThat(rest(standing, "c", "d", "e").outcomes()).containsExactly(QUARANTINED, RELEASED, RELEASED);
        passTime(Duration.ofSeconds(31));
        BatchResult waiting = rest(standing, "d", "e");
        assertThat(waiting.outcomes()).containsOnly(RELEASED);
        assertThat(waiting.stops().get(0).retryAfter()).isEqualTo(Duration.ofSeconds(29));
        bench.failing.clear();
        passTime(Duration.ofSeconds(29));

        assertThat(rest(standing, "d", "e").outcomes()).containsExactly(PROCESSED, PROCESSED);
        assertThat(bench.calls).containsExactly("a", "b", "c", "d", "e");
    }

    @Test
    @Tag("rule-1.17")
    void goesOnAfterAnotherFailureOrInAnotherPartition() {
        fail("a", "b", "c");
        bench.failing.put("x", new IllegalStateException("another one"));
        IdempotentConsumer<Message> standing = standingStill();

        assertThat(standing.consumeAll(Message.partition(0, "a", "x", "b", "c", "y"), bench::handle)
                        .outcomes())
                .containsExactly(QUARANTINED, QUARANTINED, QUARANTINED, QUARANTINED, RELEASED);
        assertThat(standing.consumeAll(Message.partition(1, "z"), bench::handle).outcomes())
                .containsExactly(PROCESSED);
    }

    @Test
    @Tag("rule-1.17")
    void neverStandsStillIfThatIsSwitchedOff() {
        fail("a", "b", "c");
        IdempotentConsumer<Message> never = bench.level(ConsistencyLevel.AT_MOST_ONCE)
                .standStillAfter(Integer.MAX_VALUE)
                .build(() -> nanos);

        assertThat(never.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle)
                        .outcomes())
                .containsOnly(QUARANTINED);
    }

    private IdempotentConsumer<Message> standingStill() {
        return bench.level(ConsistencyLevel.AT_MOST_ONCE).standStillAfter(2).build(() -> nanos);
    }

    private void fail(String... ids) {
        IOException same = new IOException("the other system is down");
        List.of(ids).forEach(id -> bench.failing.put(id, same));
    }

    private BatchResult rest(IdempotentConsumer<Message> standing, String... ids) {
        return standing.consumeAll(
                Stream.of(ids).map(id -> Message.of(id, 0, id.charAt(0) - 'a')).toList(), bench::handle);
    }

    private void passTime(Duration time) {
        nanos += time.toNanos();
    }
}

package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An interrupted thread is to end: it begins nothing new, counts nothing, and stays interrupted. */
class InterruptionTest {

    private final Bench bench = new Bench();
    private final FaultyStore faulty = new FaultyStore(bench.store);
    private final List<Message> poll = Stream.concat(
                    Message.partition(0, "a", "b").stream(), Message.partition(1, "x").stream())
            .toList();

    @AfterEach
    void forgetTheInterruption() {
        Thread.interrupted();
    }

    private IdempotentConsumer<Message> consumer(ConsistencyLevel level) {
        return bench.level(level)
                .store(faulty.store)
                .chunk(2, java.time.Duration.ofMinutes(1))
                .failures(FailurePolicy.quarantineAfter(1))
                .build();
    }

    @ParameterizedTest
    @EnumSource(names = "AT_MOST_ONCE", mode = EnumSource.Mode.EXCLUDE)
    @Tag("rule-1.4")
    void endsTheCallAndCountsNothing(ConsistencyLevel level) {
        bench.failing.put("a", new InterruptedException("shutdown"));
        List<String> interruptedAt = new ArrayList<>();
        faulty.fault = (verb, arguments) -> {
            if (Thread.currentThread().isInterrupted()) {
                interruptedAt.add(verb);
            }
            return Optional.empty();
        };
        IdempotentConsumer<Message> consumer = consumer(level);

        BatchResult result = consumer.consumeAll(poll, bench::handle);

        assertThat(Thread.interrupted()).isTrue();
        consumer.close();
        assertThat(result.outcomes()).containsExactly(RELEASED, RELEASED, RELEASED);
        assertThat(bench.calls).containsExactly("a");
        assertThat(bench.events).allMatch(event -> event.attempts() == 0);
        assertThat(interruptedAt)
                .as("the store is not used by an interrupted thread")
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = "AT_MOST_ONCE", mode = EnumSource.Mode.EXCLUDE)
    @Tag("rule-1.4")
    void countsNothingWhenTheHandlerFailsAfterItWasInterrupted(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level);

        BatchResult result = consumer.consumeAll(poll, (message, claim) -> {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted, says some other library");
        });

        assertThat(Thread.interrupted()).isTrue();
        consumer.close();
        assertThat(result.outcomes()).containsOnly(RELEASED);
        assertThat(bench.events).allMatch(event -> event.attempts() == 0);
    }

    @ParameterizedTest
    @EnumSource(names = "AT_MOST_ONCE", mode = EnumSource.Mode.EXCLUDE)
    @Tag("rule-7.4")
    void goesOnWhereAnotherThreadWasInterrupted(ConsistencyLevel level) {
        List<BatchResult> results = new ArrayList<>();
        for (boolean isUnwrapped : new boolean[] {false, true}) {
            IdempotentConsumer<Message> consumer = consumer(level);
            results.add(consumer.consumeAll(poll, (message, claim) -> {
                if (message.id().equals("a")) {
                    failOf(InterruptionTest::interruptedWorker, isUnwrapped);
                }
            }));
            consumer.close();

            assertThat(Thread.interrupted()).isFalse();
        }

        assertThat(results)
                .extracting(BatchResult::outcomes)
                .containsExactly(
                        List.of(RELEASED, RELEASED, PROCESSED),
                        List.of(RELEASED, RELEASED, level == ConsistencyLevel.NONE ? PROCESSED : DUPLICATE));
        assertThat(bench.events).allMatch(event -> event.attempts() == 0);
    }

    private static Void interruptedWorker() throws InterruptedException {
        Thread.currentThread().interrupt();
        new CountDownLatch(1).await();
        throw new AssertionError("was interrupted");
    }

    private static void failOf(Callable<Void> work, boolean isUnwrapped) throws Exception {
        FutureTask<Void> task = new FutureTask<>(work);
        new Thread(task, "worker").start();
        try {
            task.get();
        } catch (ExecutionException e) {
            throw isUnwrapped ? new IllegalStateException(e.getCause()) : e;
        }
    }

    @Test
    void losesOneEffectAndNotAPollAtMostOnce() {
        bench.failing.put("a", new InterruptedException("shutdown"));

        BatchResult result = consumer(ConsistencyLevel.AT_MOST_ONCE).consumeAll(poll, bench::handle);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(result.outcomes()).containsExactly(QUARANTINED, RELEASED, RELEASED);
        assertThat(bench.calls).containsExactly("a");
    }

    @ParameterizedTest
    @EnumSource
    void stillMakesProgressWhenItIsCalledByAnInterruptedThread(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level);
        Thread.currentThread().interrupt();

        BatchResult result = consumer.consumeAll(poll, bench::handle);

        assertThat(Thread.interrupted()).isTrue();
        consumer.close();
        assertThat(result.outcomes()).startsWith(PROCESSED).endsWith(RELEASED);
    }
}

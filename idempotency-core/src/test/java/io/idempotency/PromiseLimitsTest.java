package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the promises do not cover, as the documentation says. */
class PromiseLimitsTest {

    private final Bench bench = new Bench();

    @Test
    @Tag("rule-6.1")
    void startsPoisonThatKillsItsProcessForEver() {
        bench.failing.put("a", new OutOfMemoryError("the process dies here"));

        for (int crash = 0; crash < 10; crash++) {
            IdempotentConsumer<Message> process = bench.strong().build();
            assertThatThrownBy(() -> process.consume(Message.of("a", 0, 0), bench::handle))
                    .isInstanceOf(OutOfMemoryError.class);
        }

        assertThat(bench.calls).hasSize(10);
        assertThat(bench.quarantine.list("billing", 1)).isEmpty();
    }

    @Test
    @Tag("rule-6.2")
    void repeatsAMessageWhoseLiveOwnerOutlivesItsLease() {
        List<Integer> tokens = new ArrayList<>();
        try (IdempotentConsumer<Message> slow = leasing();
                IdempotentConsumer<Message> other = leasing()) {
            Outcome late = slow.consume(Message.of("a", 0, 0), (message, claim) -> {
                tokens.add(claim.attempt());
                bench.passTime(IdempotentConsumerBuilder.DEFAULT_LEASE.plusSeconds(1));
                Outcome repeated = other.consume(message, (again, second) -> {
                    tokens.add(second.attempt());
                    bench.handle(again, second);
                });
                assertThat(repeated).isEqualTo(Outcome.PROCESSED);
                bench.handle(message, claim);
            });

            assertThat(late).isEqualTo(Outcome.RELEASED);
        }
        assertThat(bench.effects).containsExactly("a", "a");
        assertThat(tokens).containsExactly(1, 2);
    }

    private IdempotentConsumer<Message> leasing() {
        return bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                .cache(DuplicateCache.none())
                .build();
    }
}

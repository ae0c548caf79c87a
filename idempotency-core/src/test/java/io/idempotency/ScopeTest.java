package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What surrounds messages: the first letter of an id is its tenant. */
@Tag("rule-1.16")
class ScopeTest {

    private final Bench bench = new Bench();
    private final List<String> seen = new ArrayList<>();

    private final MessageScope<Message> tenants = new MessageScope<>() {
        @Override
        public Object of(Message message) {
            if (message.id().startsWith("?")) {
                throw new IllegalStateException("no tenant");
            }
            return message.id().charAt(0);
        }

        @Override
        public Entered enter(Object tenant) {
            assertThat(bench.store.transactions().isActive()).isFalse();
            seen.add("enter " + tenant);
            return () -> {
                assertThat(bench.store.transactions().isActive()).isFalse();
                seen.add("leave " + tenant);
            };
        }
    };

    private BatchResult consumeAll(ConsistencyLevel level, Message... messages) {
        try (IdempotentConsumer<Message> consumer =
                bench.level(level).scope(tenants).build()) {
            return consumer.consumeAll(List.of(messages), (message, claim) -> {
                seen.add(message.id());
                bench.handle(message, claim);
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void surroundsTheTransactionOfMessagesThatHaveItInCommon(ConsistencyLevel level) {
        BatchResult result = consumeAll(
                level, Message.of("a1", 0, 0), Message.of("a2", 0, 1), Message.of("b1", 0, 2), Message.of("a3", 0, 3));

        assertThat(result.isSettled()).isTrue();
        assertThat(seen)
                .containsExactly(
                        "enter a", "a1", "a2", "leave a", "enter b", "b1", "leave b", "enter a", "a3", "leave a");
    }

    @ParameterizedTest
    @EnumSource
    void chargesAMessageWhoseScopeCannotBeTold(ConsistencyLevel level) {
        BatchResult result = consumeAll(
                level, Message.of("a1", 0, 0), Message.of("?", 0, 1), Message.of("a2", 0, 2), Message.of("b1", 1, 0));

        assertThat(result.outcomes())
                .containsExactly(Outcome.PROCESSED, Outcome.RELEASED, Outcome.RELEASED, Outcome.PROCESSED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.index()).isEqualTo(1);
            assertThat(stop.isCharged()).isTrue();
            assertThat(stop.cause().orElseThrow()).hasMessage("no tenant");
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"STRONG", "AT_LEAST_ONCE"})
    void isThereAgainForEachTry(ConsistencyLevel level) {
        bench.failing.put("a2", new IllegalStateException("no"));

        consumeAll(level, Message.of("a1", 0, 0), Message.of("a2", 0, 1), Message.of("b1", 1, 0));

        assertThat(seen).endsWith("enter b", "b1", "leave b");
        assertThat(seen.stream().filter(each -> each.startsWith("enter")).count())
                .isEqualTo(
                        seen.stream().filter(each -> each.startsWith("leave")).count());
    }
}

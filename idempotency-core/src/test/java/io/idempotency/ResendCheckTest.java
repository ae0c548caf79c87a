package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ResendCheck.Policy;
import io.idempotency.ResendCheck.Result;
import io.idempotency.kafka.LogCapture;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import io.idempotency.store.StandStillException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several messages with one id. */
@Tag("rule-2.14")
class ResendCheckTest {

    private final Bench bench = new Bench();
    private final List<String> told = new ArrayList<>();
    private final List<String> compared = new ArrayList<>();
    private Result result = Result.DIFFERENT;

    private final class Check implements ResendCheck<Message> {

        private final Policy policy;

        Check(Policy policy) {
            this.policy = policy;
        }

        @Override
        public Policy policy() {
            return policy;
        }

        @Override
        public Result compare(Message message, Duplicate duplicate) {
            assertThat(bench.store.transactions().isActive()).isFalse();
            compared.add(message.position() + " with " + duplicate.first());
            return result;
        }
    }

    private IdempotentConsumer<Message> consumer(ConsistencyLevel level, Policy policy) {
        return bench.level(level)
                .resends(new Check(policy))
                .listener(new ConsumptionListener() {
                    @Override
                    public void onConsumption(Consumption consumption) {}

                    @Override
                    public void onResendChecked(Delivery delivery, Position first, Result result) {
                        told.add(delivery.position() + " " + result);
                    }
                })
                .build();
    }

    private BatchResult consume(IdempotentConsumer<Message> consumer, Message... messages) {
        return consumer.consumeAll(List.of(messages), bench::handle);
    }

    private static Message at(long offset, String id) {
        return Message.of(id, 0, offset);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void skipsAnotherMessageAndTells(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level, Policy.SKIP);
        try (LogCapture log = new LogCapture()) {
            assertThat(consume(consumer, at(0, "a"), at(1, "b"), at(2, "a")).outcomes())
                    .containsExactly(PROCESSED, PROCESSED, DUPLICATE);

            assertThat(log.warnings())
                    .singleElement()
                    .asString()
                    .contains("billing/a at orders-0@2 is another message than the one at orders-0@0");
        }
        assertThat(told).containsExactly("orders-0@2 DIFFERENT");
        assertThat(bench.effects).containsExactly("a", "b");
        assertThat(bench.outcomes()).filteredOn(DUPLICATE::equals).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void quarantinesItUnderAnIdOfItsOwnOnce(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level, Policy.QUARANTINE);
        for (int delivery = 0; delivery < 2; delivery++) {
            assertThat(consume(consumer, at(0, "a"), at(1, "a"), at(2, "c")).isSettled())
                    .isTrue();
        }

        assertThat(bench.quarantine.list("billing", 10)).hasSize(1);
        assertThat(bench.quarantine.find(bench.quarantine.list("billing", 10).get(0)))
                .hasValueSatisfying(entry -> {
                    assertThat(entry.message().delivery().position()).hasToString("orders-0@1");
                    assertThat(entry.message().delivery().id().value()).startsWith("~none~orders-0@1");
                    assertThat(entry.message().payload().value()).asString().isEqualTo("a");
                    assertThat(entry.message().failure().text())
                            .contains("PayloadMismatchException", "the one at orders-0@0");
                });
        assertThat(bench.effects).containsExactly("a", "c");
        assertThat(bench.events)
                .filteredOn(event ->
                        event.outcome() == QUARANTINED && event.failure().isPresent())
                .hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void standsStillAtIt(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level, Policy.FAIL);
        consume(consumer, at(0, "a"));

        BatchResult result = consume(consumer, at(1, "b"), at(2, "a"));

        assertThat(result.outcomes()).containsExactly(PROCESSED, RELEASED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.index()).isOne();
            assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
            assertThat(stop.isCharged()).isFalse();
            assertThat(stop.cause())
                    .get()
                    .isInstanceOfSatisfying(
                            StandStillException.class,
                            still -> assertThat(still.reason())
                                    .isEqualTo("another message has the id of the one at orders-0@0"));
        });
        assertThat(bench.lastEvent().outcome()).isEqualTo(RELEASED);
    }

    @Test
    void comparesNeitherNewMessagesNorRedeliveries() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG, Policy.FAIL);
        for (int delivery = 0; delivery < 2; delivery++) {
            assertThat(consume(consumer, at(0, "a"), at(1, "b")).isSettled()).isTrue();
        }

        assertThat(compared).isEmpty();
    }

    /** A cached duplicate is compared when the messages before it are settled, or it would hold them back for ever. */
    @Test
    void settlesTheMessagesBeforeACachedOneFirst() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG, Policy.FAIL);
        consume(consumer, at(0, "a"));

        BatchResult result = consume(consumer, at(1, "b"), at(2, "a"), at(3, "a"));

        assertThat(result.outcomes()).containsExactly(PROCESSED, RELEASED, RELEASED);
        assertThat(bench.effects).containsExactly("a", "b");
        assertThat(compared).containsExactly("orders-0@2 with orders-0@0");
    }

    /** It comes again, and is compared then. */
    @Test
    void comparesNothingBehindAMessageThatFails() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.AT_LEAST_ONCE, Policy.SKIP);
        consume(consumer, at(0, "a"), at(1, "b"));
        bench.failing.put("c", new IllegalStateException("no"));

        BatchResult result = consume(consumer, at(2, "a"), at(3, "c"), at(4, "b"));

        assertThat(result.outcomes()).containsExactly(DUPLICATE, RELEASED, RELEASED);
        assertThat(compared).containsExactly("orders-0@2 with orders-0@0");
    }

    @ParameterizedTest
    @EnumSource
    void whatWasNotComparedWaitsUnlessItIsSkippedAnyway(Policy policy) {
        result = Result.UNCHECKED;
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG, policy);
        consume(consumer, at(0, "a"));

        BatchResult result = consume(consumer, at(1, "a"));

        if (policy == Policy.SKIP) {
            assertThat(result.outcomes()).containsExactly(DUPLICATE);
            assertThat(told).containsExactly("orders-0@1 UNCHECKED");
        } else {
            assertThat(result.stops()).singleElement().satisfies(stop -> {
                assertThat(stop.retryAfter()).isPositive().isLessThan(IdempotentConsumer.STAND_STILL);
                assertThat(stop.cause()).isEmpty();
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void skipsWhatCannotBeCompared(Policy policy) {
        result = Result.UNKNOWN;
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG, policy);

        assertThat(consume(consumer, at(0, "a"), at(1, "a")).outcomes()).containsExactly(PROCESSED, DUPLICATE);
        assertThat(told).containsExactly("orders-0@1 UNKNOWN");
    }

    @Test
    void checksNothingInATransactionOfTheCaller() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG, Policy.FAIL);
        consume(consumer, at(0, "a"));

        bench.store
                .transactions()
                .inTransaction(() ->
                        assertThat(consume(consumer, at(1, "a")).outcomes()).containsExactly(DUPLICATE));

        assertThat(compared).isEmpty();
    }

    @Test
    void needsAQuarantineToQuarantine() {
        assertThatThrownBy(() -> IdempotentConsumer.<Message>named("billing")
                        .store(bench.store)
                        .messageId(Message::messageId)
                        .resends(new Check(Policy.QUARANTINE))
                        .build())
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("quarantine(..)");
    }
}

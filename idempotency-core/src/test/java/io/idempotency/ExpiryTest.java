package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.EXPIRED;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.MessageId;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An expired message is settled without its handler, by the clock of the store. */
class ExpiryTest {

    private final Bench bench = new Bench();
    private final AtomicLong nanos = new AtomicLong();
    private final Map<String, Instant> expiries = new HashMap<>();
    private final FaultyStore faulty = new FaultyStore(bench.store);

    private IdempotentConsumerBuilder<Message> builder(ConsistencyLevel level) {
        return bench.level(level)
                .store(faulty.store)
                .expiry(message -> Optional.ofNullable(expiries.get(message.id())));
    }

    private IdempotentConsumer<Message> consumer(ConsistencyLevel level) {
        return builder(level).build(nanos::get);
    }

    private void passTime(Duration time) {
        bench.passTime(time);
        nanos.addAndGet(time.toNanos());
    }

    private void expire(String id, Duration in) {
        expiries.put(id, bench.now().plus(in));
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.15")
    void settlesAnExpiredMessageWithoutItsHandler(ConsistencyLevel level) {
        expire("b", Duration.ZERO);
        expire("c", Duration.ofMillis(1));
        IdempotentConsumer<Message> consumer = consumer(level);

        BatchResult result = consumer.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle);

        assertThat(result.outcomes()).containsExactly(PROCESSED, EXPIRED, PROCESSED);
        assertThat(result.isSettled()).isTrue();
        assertThat(bench.calls).containsExactly("a", "c");
        assertThat(bench.outcomes()).containsExactlyInAnyOrder(PROCESSED, EXPIRED, PROCESSED);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.15")
    void aBatchHandlerGetsNoExpiredMessage(ConsistencyLevel level) {
        expire("a", Duration.ZERO);
        expire("c", Duration.ZERO);
        IdempotentConsumer<Message> consumer = consumer(level);

        BatchResult result = consumer.consumeBatch(Message.partition(0, "a", "b", "c", "d"), bench::handleBatch);

        assertThat(result.outcomes()).containsExactly(EXPIRED, PROCESSED, EXPIRED, PROCESSED);
        assertThat(bench.calls).containsExactly("b", "d");
    }

    @ParameterizedTest
    @EnumSource
    void aBatchOfExpiredMessagesHasNoHandlerCall(ConsistencyLevel level) {
        expire("a", Duration.ZERO);
        IdempotentConsumer<Message> consumer = consumer(level);

        BatchResult result = consumer.consumeBatch(Message.partition(0, "a"), (messages, claims) -> {
            throw new IOException("called with " + messages);
        });

        assertThat(result.outcomes()).containsExactly(EXPIRED);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-8.15")
    void anExpiredMessageIsRemembered(ConsistencyLevel level) {
        expire("a", Duration.ZERO);
        IdempotentConsumer<Message> consumer = consumer(level);
        consumer.consume(Message.of("a", 0, 0), bench::handle);
        bench.cache.known.clear();

        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(DUPLICATE);
        assertThat(consumer.consume(Message.of("a", 1, 5), bench::handle)).isEqualTo(DUPLICATE);
        assertThat(bench.lastEvent().duplicate().orElseThrow().kind()).isEqualTo(Duplicate.Kind.RESEND);
        assertThat(bench.calls).isEmpty();
        assertThat(bench.store
                        .messages()
                        .look(new MessageId("billing", "a"))
                        .orElseThrow()
                        .status())
                .isEqualTo(MessageStatus.EXPIRED);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aCopyOfAnExpiredMessageInOnePollIsADuplicate(ConsistencyLevel level) {
        expire("a", Duration.ZERO);

        BatchResult result =
                consumer(level).consumeAll(List.of(Message.of("a", 0, 0), Message.of("a", 0, 1)), bench::handle);

        assertThat(result.outcomes().get(0)).isEqualTo(EXPIRED);
        assertThat(result.outcomes().get(1)).isIn(DUPLICATE, RELEASED);
        assertThat(bench.calls).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aProcessedMessageThatExpiresIsADuplicate(ConsistencyLevel level) {
        expire("a", Duration.ofSeconds(1));
        IdempotentConsumer<Message> consumer = consumer(level);
        consumer.consume(Message.of("a", 0, 0), bench::handle);
        passTime(Duration.ofSeconds(2));

        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(DUPLICATE);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "AT_MOST_ONCE")
    @Tag("rule-8.15")
    void aFailedMessageThatExpiresIsExpired(ConsistencyLevel level) {
        expire("a", Duration.ofSeconds(1));
        bench.failing.put("a", new IOException("no"));
        IdempotentConsumer<Message> consumer = consumer(level);
        assertThat(consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle)
                        .outcomes())
                .containsExactly(RELEASED, RELEASED);
        passTime(Duration.ofSeconds(2));

        assertThat(consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle)
                        .outcomes())
                .containsExactly(EXPIRED, PROCESSED);
        assertThat(bench.calls).filteredOn("a"::equals).hasSizeLessThanOrEqualTo(2);
        assertThat(bench.quarantine.list("billing", 10)).isEmpty();
    }

    @Test
    void anExpiredMessageStaysUnsettledWithTheTransactionThatFails() {
        expire("a", Duration.ZERO);
        bench.failing.put("b", new IOException("no"));
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);

        consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle);
        BatchResult again = consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle);

        assertThat(again.outcomes()).containsExactly(EXPIRED, RELEASED);
        assertThat(bench.outcomes()).filteredOn(EXPIRED::equals).hasSize(1);
    }

    @Test
    @Tag("rule-8.15")
    void asksTheStoreOnceAMinuteOutsideOfTransactions() {
        faulty.fault = (verb, arguments) ->
                verb.equals("now") && bench.store.transactions().isActive()
                        ? Optional.of(new AssertionError("asked in a transaction"))
                        : Optional.empty();
        expire("late", Duration.ofSeconds(50));
        expire("a", Duration.ofDays(1));
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);

        for (int i = 0; i < 6; i++) {
            consumer.consume(Message.of("a", 0, i), bench::handle);
            passTime(Duration.ofSeconds(11));
        }
        assertThat(faulty.count("now")).isEqualTo(1);
        consumer.consume(Message.of("late", 0, 9), bench::handle);

        assertThat(faulty.count("now")).isEqualTo(2);
        assertThat(bench.lastEvent().outcome()).isEqualTo(EXPIRED);
    }

    @Test
    @Tag("rule-8.15")
    void theClockOfTheProcessGoesOnFromTheAnswer() {
        expire("a", Duration.ofSeconds(30));
        expire("b", Duration.ofSeconds(30));
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(PROCESSED);
        nanos.addAndGet(Duration.ofSeconds(30).toNanos());

        assertThat(consumer.consume(Message.of("b", 0, 1), bench::handle)).isEqualTo(EXPIRED);
    }

    @Test
    void messagesThatDoNotExpireCostNoQuestion() {
        consumer(ConsistencyLevel.STRONG).consumeAll(Message.partition(0, "a", "b"), bench::handle);

        assertThat(faulty.count("now")).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void aStoreThatCannotTellItsTimeForNowIsATransientFailure(ConsistencyLevel level) {
        expire("a", Duration.ofDays(1));
        faulty.fail("now", new TransientStoreException("away"));
        IdempotentConsumer<Message> consumer = consumer(level);

        BatchResult result = consumer.consumeAll(Message.partition(0, "a"), bench::handle);
        assertThat(result.outcomes()).containsExactly(RELEASED);
        assertThat(bench.lastEvent().isTransient()).isTrue();
        faulty.mend();

        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(PROCESSED);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-8.16")
    void aMessageWithAnUnreadableExpiryIsQuarantinedAtOnceUnderItsOwnId(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = bench.level(level)
                .expiry(message -> {
                    throw new IllegalStateException("no date");
                })
                .build();

        assertThat(consumer.consume(Message.of("a", 0, 7), bench::handle)).isEqualTo(QUARANTINED);

        assertThat(bench.calls).isEmpty();
        assertThat(bench.quarantine
                        .find(new MessageId("billing", "a"))
                        .orElseThrow()
                        .message()
                        .failure()
                        .text())
                .contains("InvalidExpiryException", "The expiry of the message at orders-0@7 cannot be read. no date");
    }

    @Test
    @Tag("rule-8.16")
    void aTopicOfUnreadableExpiriesStandsStillInsteadOfDraining() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .standStillAfter(2)
                .expiry(message -> {
                    throw new InvalidExpiryException("no date");
                })
                .build();

        BatchResult result = bench.deliver(
                Message.partition(0, "a", "b", "c", "d"), some -> consumer.consumeAll(some, bench::handle));

        assertThat(result.outcomes()).containsExactly(QUARANTINED, QUARANTINED, RELEASED, RELEASED);
    }

    @Test
    void joinsTheTransactionOfTheCaller() {
        expire("a", Duration.ZERO);
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);

        bench.store
                .transactions()
                .inTransaction(() -> assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle))
                        .isEqualTo(EXPIRED));

        assertThat(bench.outcomes()).containsExactly(EXPIRED);
        assertThat(bench.calls).isEmpty();
    }

    @Test
    @Tag("rule-8.16")
    void anUnreadableExpiryLeavesToACallerWithATransaction() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .expiry(message -> {
                    throw new InvalidExpiryException("no date");
                })
                .build();

        assertThatThrownBy(() -> bench.store
                        .transactions()
                        .inTransaction(() -> consumer.consume(Message.of("a", 0, 0), bench::handle)))
                .isInstanceOf(InvalidExpiryException.class);
    }
}

package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.WOULD_EXPIRE;
import static io.idempotency.Outcome.WOULD_REFUSE;
import static io.idempotency.Outcome.WOULD_SKIP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.kafka.LogCapture;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A shadow consumer calls its handler as without the library, and reports what a real run would have done. */
class ShadowTest {

    private final Bench bench = new Bench();
    private final FaultyStore faulty = new FaultyStore(bench.store);
    private final CountDownLatch mended = new CountDownLatch(1);
    private final List<Delivery> unwatched = Collections.synchronizedList(new ArrayList<>());
    private final LogCapture log = new LogCapture();

    private final ConsumptionListener listener = new ConsumptionListener() {
        @Override
        public void onConsumption(Consumption consumption) {}

        @Override
        public void onUnwatched(Delivery delivery) {
            unwatched.add(delivery);
        }
    };

    @AfterEach
    void close() {
        mended.countDown();
        log.close();
    }

    private IdempotentConsumerBuilder<Message> builder() {
        return bench.strong().store(faulty.store).listener(listener).shadow();
    }

    /** From now on every claim waits until the test is over or mends it. */
    private CountDownLatch hang() {
        CountDownLatch hanging = new CountDownLatch(1);
        faulty.fault = (verb, arguments) -> {
            if (verb.equals("claim")) {
                hanging.countDown();
                try {
                    mended.await();
                } catch (InterruptedException e) {
                    return Optional.of(new TransientStoreException("interrupted", e));
                }
            }
            return Optional.empty();
        };
        return hanging;
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-8.14")
    void handlesEveryDeliveryAndReportsWhatARealRunSkips(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = builder().level(level).build();
        assertThat(consumer.consume(Message.of("a", 0, 7), bench::handle)).isEqualTo(PROCESSED);
        consumer.close();
        bench.passTime(Duration.ofSeconds(60));

        consumer.consume(Message.of("a", 0, 7), bench::handle);
        consumer.consume(Message.of("a", 2, 9), bench::handle);
        consumer.close();

        assertThat(bench.effects).containsExactly("a", "a", "a");
        assertThat(bench.outcomes()).containsExactly(PROCESSED, WOULD_SKIP, WOULD_SKIP);
        assertThat(bench.events)
                .extracting(Consumption::duplicate)
                .containsExactly(
                        Optional.empty(),
                        Optional.of(new Duplicate(
                                Duplicate.Kind.REDELIVERY, new Position("orders", 0, 7), Duration.ofSeconds(60))),
                        Optional.of(new Duplicate(
                                Duplicate.Kind.RESEND, new Position("orders", 0, 7), Duration.ofSeconds(60))));
        assertThat(bench.lastEvent().level()).isEqualTo(level);
    }

    @Test
    @Tag("rule-8.14")
    void nothingSurroundsTheHandlerAndNothingIsClaimedBefore() {
        List<String> before = new ArrayList<>();
        IdempotentConsumer<Message> consumer = builder()
                .scope(new MessageScope<>() {
                    @Override
                    public Object of(Message message) {
                        return message.id();
                    }

                    @Override
                    public Entered enter(Object scope) {
                        before.add(Thread.currentThread().getName() + " enters " + scope);
                        return () -> {};
                    }
                })
                .build();

        consumer.consume(Message.of("a", 0, 0), (message, claim) -> {
            assertThat(bench.store.transactions().isActive()).isFalse();
            assertThat(HandledMessages.onThread()).isEmpty();
            assertThat(faulty.verbs).doesNotContain("claim", "lease", "prepare", "find");
            assertThat(before).isEmpty();
            assertThat(claim.delivery().id()).isEqualTo(new MessageId("billing", "a"));
        });
        consumer.close();

        assertThat(before).containsExactly("idempotency-shadow-billing enters a");
        assertThat(bench.store.find(new MessageId("billing", "a"))).isPresent();
    }

    @Test
    @Tag("rule-8.14")
    void theExceptionOfTheHandlerLeavesAndThatIsAll() {
        IOException failure = new IOException("no");
        bench.failing.put("b", failure);
        IdempotentConsumer<Message> consumer =
                builder().failures(FailurePolicy.quarantineAfter(1)).build();

        assertThatThrownBy(() -> consumer.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle))
                .isSameAs(failure);
        assertThatThrownBy(() -> consumer.consume(Message.of("b", 0, 1), bench::handle))
                .isSameAs(failure);
        assertThatThrownBy(() -> consumer.consumeBatch(Message.partition(1, "x", "b"), bench::handleBatch))
                .isSameAs(failure);
        consumer.close();

        assertThat(bench.calls).containsExactly("a", "b", "b", "x", "b");
        assertThat(bench.outcomes()).containsExactly(PROCESSED);
        assertThat(bench.quarantine.list("billing", 10)).isEmpty();
        assertThat(bench.store.find(new MessageId("billing", "b"))).isEmpty();
        assertThat(bench.store.find(new MessageId("billing", "x"))).isEmpty();
    }

    @Test
    void aBatchHandlerGetsTheDuplicatesToo() {
        IdempotentConsumer<Message> consumer = builder().build();
        List<Message> messages = List.of(Message.of("a", 0, 0), Message.of("b", 0, 1), Message.of("a", 0, 2));

        BatchResult result = consumer.consumeBatch(messages, bench::handleBatch);
        consumer.close();

        assertThat(result.outcomes()).containsExactly(PROCESSED, PROCESSED, PROCESSED);
        assertThat(bench.calls).containsExactly("a", "b", "a");
        assertThat(bench.outcomes()).containsExactly(PROCESSED, PROCESSED, WOULD_SKIP);
    }

    @Test
    void consumesNothingOfNothing() {
        assertThat(builder()
                        .build()
                        .consumeBatch(List.of(), (messages, claims) -> {
                            throw new IOException("called");
                        })
                        .outcomes())
                .isEmpty();
    }

    @Test
    @Tag("rule-8.14")
    void aStoreThatHangsHoldsUpNobodyAndWhatTheQueueCannotHoldIsCounted() throws Exception {
        CountDownLatch hanging = hang();
        IdempotentConsumer<Message> consumer = builder().build();
        consumer.consume(Message.of("first", 0, 0), bench::handle);
        hanging.await();
        int more = ShadowQueue.MOST + 3;

        IntStream.range(0, more).forEach(i -> consumer.consume(Message.of("m" + i, 0, i + 1), (message, claim) -> {}));

        assertThat(unwatched)
                .extracting(delivery -> delivery.id().value())
                .containsExactly("m" + (more - 3), "m" + (more - 2), "m" + (more - 1));
        assertThat(log.warnings())
                .singleElement()
                .asString()
                .contains(
                        "Shadow consumer billing does not watch billing/m" + (more - 3) + " at orders-0@" + (more - 2));
        mended.countDown();
        consumer.close();
        assertThat(bench.outcomes()).hasSize(more - 2).containsOnly(PROCESSED);
    }

    @Test
    @Tag("rule-8.14")
    void closingGivesUpAStoreThatHangs() throws Exception {
        CountDownLatch hanging = hang();
        IdempotentConsumer<Message> consumer = builder().build();
        consumer.consume(Message.of("a", 0, 0), bench::handle);
        hanging.await();
        consumer.consume(Message.of("b", 0, 1), bench::handle);

        // Who is interrupted does not wait.
        Thread.currentThread().interrupt();
        consumer.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(unwatched).extracting(Delivery::position).containsExactly(new Position("orders", 0, 1));
        assertThat(log.warnings()).anySatisfy(line -> assertThat(line).contains("2 deliveries are not remembered"));
        mended.countDown();
        faulty.mend();
        consumer.consume(Message.of("c", 0, 2), bench::handle);
        consumer.close();
        assertThat(bench.store.find(new MessageId("billing", "c"))).isPresent();
    }

    @Test
    @Tag("rule-8.14")
    void aStoreThatFailsForNowIsAskedAgain() throws Exception {
        CountDownLatch failed = new CountDownLatch(2);
        faulty.fault = (verb, arguments) -> {
            if (!verb.equals("claim") || failed.getCount() == 0) {
                return Optional.empty();
            }
            failed.countDown();
            return Optional.of(new TransientStoreException("away"));
        };
        IdempotentConsumer<Message> consumer = builder().build();
        consumer.consume(Message.of("a", 0, 0), bench::handle);
        failed.await();
        consumer.close();

        assertThat(bench.outcomes()).containsExactly(PROCESSED);
        assertThat(log.warnings())
                .singleElement()
                .asString()
                .contains("its store fails at billing/a at orders-0@0", "away");
    }

    @Test
    @Tag("rule-8.14")
    void whatTheStoreRefusesIsReportedAloneAndTheOthersAreRemembered() throws Exception {
        CountDownLatch hanging = hang();
        IdempotentConsumer<Message> consumer = builder().build();
        consumer.consume(Message.of("first", 0, 0), bench::handle);
        hanging.await();
        consumer.consumeAll(Message.partition(1, "a", "b", "c", "d", "e"), bench::handle);
        faulty.fault = (verb, arguments) ->
                verb.equals("claim") && arguments[0].toString().contains("/c")
                        ? Optional.of(new IdempotencyException("c is too old"))
                        : Optional.empty();
        mended.countDown();
        consumer.close();

        assertThat(bench.events)
                .extracting(event -> event.delivery().id().value() + " " + event.outcome())
                .containsExactly(
                        "first PROCESSED",
                        "a PROCESSED",
                        "b PROCESSED",
                        "c WOULD_REFUSE",
                        "d PROCESSED",
                        "e PROCESSED");
        assertThat(bench.store.find(new MessageId("billing", "c"))).isEmpty();
        assertThat(log.warnings())
                .singleElement()
                .asString()
                .contains("a real run would not have handled billing/c at orders-1@2", "c is too old");
    }

    @Test
    @Tag("rule-8.14")
    void aMessageWithoutAUsableIdIsHandledAndReported() {
        IdempotentConsumer<Message> consumer = builder().build();

        assertThat(consumer.consume(Message.of("", 0, 5), bench::handle)).isEqualTo(PROCESSED);
        consumer.close();

        assertThat(bench.calls).hasSize(1);
        assertThat(bench.lastEvent().outcome()).isEqualTo(WOULD_REFUSE);
        assertThat(bench.lastEvent().failure().orElseThrow())
                .hasMessageContaining("There is no message id at orders-0@5");
    }

    @Test
    @Tag("rule-8.14")
    void aQuarantinedMessageWouldBeSkipped() {
        IdempotentConsumer<Message> real = bench.strong().build();
        real.quarantine(Message.of("a", 0, 0), new IOException("no"));
        IdempotentConsumer<Message> consumer = builder().build();

        consumer.consume(Message.of("a", 0, 3), bench::handle);
        consumer.close();

        assertThat(bench.lastEvent().outcome()).isEqualTo(WOULD_SKIP);
        assertThat(bench.lastEvent().duplicate().orElseThrow().kind()).isEqualTo(Duplicate.Kind.RESEND);
    }

    @Test
    void anExpiredMessageIsHandledAndReported() {
        IdempotentConsumer<Message> consumer = builder()
                .expiry(message -> Optional.of(bench.now().minusSeconds(1)))
                .build();

        consumer.consume(Message.of("a", 0, 0), bench::handle);
        consumer.close();

        assertThat(bench.effects).containsExactly("a");
        assertThat(bench.outcomes()).containsExactly(WOULD_EXPIRE);
    }

    @Test
    @Tag("rule-8.14")
    void insideATransactionItIsWatchedAfterTheCommit() {
        IdempotentConsumer<Message> consumer = builder().build();
        assertThatThrownBy(() -> bench.store.transactions().inTransaction(() -> {
                    consumer.consume(Message.of("a", 0, 0), bench::handle);
                    throw new IllegalStateException("rolled back");
                }))
                .hasMessage("rolled back");
        bench.store.transactions().inTransaction(() -> consumer.consume(Message.of("b", 0, 1), bench::handle));
        consumer.close();

        assertThat(bench.events)
                .extracting(event -> event.delivery().id().value())
                .containsExactly("b");
    }

    @Test
    void theFirstSkippedOneOfAPartitionIsALineAndThenOneAMinute() {
        IdempotentConsumer<Message> consumer = builder().build();
        for (int i = 0; i < 4; i++) {
            consumer.consume(Message.of("a", 0, i), bench::handle);
            consumer.consume(Message.of("a", 1, i), bench::handle);
        }
        consumer.close();

        assertThat(log.all())
                .filteredOn(line -> line.contains("a real run would have skipped"))
                .satisfiesExactly(
                        line -> assertThat(line)
                                .contains(
                                        "skipped billing/a at orders-1@0, a RESEND of a message settled at orders-0@0"),
                        line -> assertThat(line).contains("skipped billing/a at orders-0@1"));
    }

    @Test
    void rejectsAndQuarantinesNothing() {
        IdempotentConsumer<Message> consumer = builder().build();
        IOException cause = new IOException("no");

        assertThatThrownBy(() -> consumer.quarantine(Message.of("a", 0, 0), cause))
                .isSameAs(cause);
        assertThatThrownBy(() -> consumer.reject(
                        new Position("orders", 0, 0),
                        Optional.of("a"),
                        Payload.none(Payload.Origin.POSITION_ONLY),
                        cause))
                .isSameAs(cause);
        assertThat(bench.store.find(new MessageId("billing", "a"))).isEmpty();
    }

    @Test
    void whoCallsTheHandlerTellsWhatWasHandled() {
        IdempotentConsumer<Message> consumer = builder().build();
        WatchedCall call = consumer.watch(Message.partition(0, "a", "b", "c"));
        call.handled(1);
        call.handled(1);
        call.failed(1);
        call.handled(0);
        consumer.close();

        assertThat(bench.events)
                .extracting(event -> event.delivery().id().value())
                .containsExactly("a");
        assertThatThrownBy(() -> bench.strong().build().watch(List.of())).isInstanceOf(IdempotencyException.class);
    }

    @Test
    void tellsTheStoreOfAPartitionThatWasLeftOnItsOwnThread() {
        AtomicBoolean isLeftHere = new AtomicBoolean();
        faulty.fault = (verb, arguments) -> {
            if (verb.equals("leave")) {
                isLeftHere.set(Thread.currentThread().getName().startsWith("idempotency-shadow"));
            }
            return Optional.empty();
        };
        IdempotentConsumer<Message> consumer = builder().build();
        consumer.revoked("orders", 0);
        consumer.consume(Message.of("a", 1, 0), bench::handle);
        consumer.close();

        assertThat(isLeftHere).isTrue();
    }

    @Test
    @Tag("rule-8.14")
    void theFirstRealRunSkipsWhatTheShadowHasSeen() {
        List<Message> messages = Message.partition(0, "a", "b", "c");
        IdempotentConsumer<Message> shadow = builder().build();
        shadow.consumeAll(messages, bench::handle);
        shadow.close();

        IdempotentConsumer<Message> real = bench.strong().build();

        assertThat(real.consumeAll(messages, bench::handle).outcomes())
                .containsExactly(DUPLICATE, DUPLICATE, DUPLICATE);
        assertThat(real.consume(Message.of("b", 3, 8), bench::handle)).isEqualTo(DUPLICATE);
        assertThat(bench.effects).containsExactly("a", "b", "c");
    }

    @Test
    void needsALevelThatSkips() {
        assertThatThrownBy(() -> builder().level(ConsistencyLevel.NONE).build())
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("shadow() has nothing to report");
    }

    @Test
    @Tag("rule-8.14")
    void doesNotNeedAQuarantineToLeaveFailuresAlone() {
        IdempotentConsumer<Message> real = bench.strong().build();
        bench.failing.put("a", new IOException("no"));
        for (int i = 0; i < 3; i++) {
            real.consumeAll(Message.partition(0, "a"), bench::handle);
        }
        assertThat(bench.outcomes()).endsWith(QUARANTINED);
        IdempotentConsumer<Message> consumer = builder().build();

        assertThatThrownBy(() -> consumer.consume(Message.of("a", 0, 0), bench::handle))
                .isInstanceOf(IOException.class);
        consumer.close();

        assertThat(bench.lastEvent().outcome()).isEqualTo(WOULD_SKIP);
    }
}

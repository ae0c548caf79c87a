package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.kafka.LogCapture;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.StandStillException;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever the user's parts and the store throw, one message's trouble stays with its partition. */
class BrokenPartsTest {

    private final Bench bench = new Bench();
    private final FaultyStore faulty = new FaultyStore(bench.store);
    private final List<Message> poll = Stream.concat(
                    Message.partition(0, "a", "b", "c").stream(), Message.partition(1, "x").stream())
            .toList();

    private static MessageIdExtractor<Message> failingFor(String id, RuntimeException thrown) {
        return message -> {
            if (message.id().equals(id)) {
                throw thrown;
            }
            return message.messageId();
        };
    }

    @Test
    void chargesTheMessageWhoseIdCannotBeExtracted() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .messageId(failingFor("b", new ClassCastException("not an order")))
                .failures(FailurePolicy.quarantineAfter(2))
                .build();

        BatchResult first = consumer.consumeAll(poll, bench::handle);
        BatchResult second = consumer.consumeAll(poll, bench::handle);

        assertThat(first.outcomes()).containsExactly(PROCESSED, RELEASED, RELEASED, PROCESSED);
        assertThat(first.stops())
                .singleElement()
                .satisfies(stop -> assertThat(stop.cause()).containsInstanceOf(ClassCastException.class));
        assertThat(second.outcomes()).containsExactly(DUPLICATE, QUARANTINED, PROCESSED, DUPLICATE);
    }

    @Test
    void quarantinesAMessageAtOnceThatHasNeitherIdNorPosition() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .reader(MessageReader.withoutPosition())
                .messageId(failingFor("b", new ClassCastException("not an order")))
                .build();

        assertThat(consumer.consumeAll(poll, bench::handle).outcomes())
                .containsExactly(PROCESSED, QUARANTINED, PROCESSED, PROCESSED);
    }

    @Test
    @Tag("rule-1.4")
    void comesBackLaterWhenTheIdCannotBeExtractedForATransientReason() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .messageId(failingFor("b", new TransientStoreException("registry is down")))
                .failures(FailurePolicy.quarantineAfter(1))
                .build();

        assertThat(consumer.consumeAll(poll, bench::handle).outcomes())
                .containsExactly(PROCESSED, RELEASED, RELEASED, PROCESSED);
    }

    @Test
    @Tag("rule-1.4")
    void comesBackLaterWhenAFailingRollbackHidesThatTheClaimFailedForATransientReason() {
        faulty.fail("claim", new TransientStoreException("connection lost"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .store(faulty.store)
                .transactions(work -> {
                    try {
                        bench.store.transactions().inTransaction(work);
                    } catch (TransientStoreException e) {
                        throw new IllegalStateException("rollback failed");
                    }
                })
                .build();

        BatchResult result = consumer.consumeAll(poll, bench::handle);

        assertThat(result.outcomes()).containsOnly(RELEASED);
        assertThat(result.stops()).extracting(Stop::index).containsExactly(0, 3);
        assertThat(bench.events).allMatch(Consumption::isTransient);
    }

    @Test
    void tellsEveryListenerEvenIfOneFails() {
        List<Consumption> told = new ArrayList<>();
        IdempotentConsumer<Message> consumer = bench.strong()
                .listener(consumption -> {
                    throw new IllegalStateException("no meters");
                })
                .listener(told::add)
                .build();

        consumer.consume(Message.of("a", 0, 0), bench::handle);

        assertThat(told).hasSize(1);
    }

    @Test
    void leavesAFailureToACallerWhoQuarantinesByHimself() {
        bench.failing.put("b", new IOException("no"));
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.leaveToCaller()).build();
        bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle));
        BatchResult failed = consumer.consumeAll(poll, bench::handle);

        BatchResult quarantined = consumer.quarantine(poll.get(1), new IOException("enough"));

        assertThat(failed.stops())
                .containsExactly(
                        new Stop(1, Duration.ZERO, failed.stops().get(0).cause(), true));
        assertThat(quarantined.outcomes()).containsExactly(QUARANTINED);
        assertThat(bench.quarantine.find(new MessageId("billing", "b"))).hasValueSatisfying(kept -> {
            assertThat(kept.message().attempts()).isEqualTo(2);
            assertThat(kept.message().failure().text()).contains("enough");
        });
        assertThat(consumer.consumeAll(poll, bench::handle).outcomes())
                .containsExactly(DUPLICATE, QUARANTINED, PROCESSED, DUPLICATE);
    }

    @Test
    void doesNotQuarantineAMessageThatWasProcessedMeanwhile() {
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.leaveToCaller()).build();
        consumer.consumeAll(poll, bench::handle);

        assertThat(consumer.quarantine(poll.get(0), new IOException("too late")).outcomes())
                .containsExactly(DUPLICATE);
    }

    @Test
    void standsStillWhereTheFailurePolicyFails() {
        bench.failing.put("b", new IOException("no"));
        for (ConsistencyLevel level : List.of(ConsistencyLevel.STRONG, ConsistencyLevel.AT_LEAST_ONCE)) {
            IdempotentConsumer<Message> consumer = bench.level(level)
                    .cache(DuplicateCache.none())
                    .failures(failure -> {
                        throw new IllegalStateException("no decision");
                    })
                    .build();

            BatchResult result = bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle));
            consumer.close();

            assertThat(result.outcomes().stream().map(Outcome::isSettled)).containsExactly(true, false, false, true);
            assertThat(result.stops()).singleElement().satisfies(stop -> {
                assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
                assertThat(stop.cause()).containsInstanceOf(IOException.class);
            });
        }
    }

    @Test
    void standsStillWhereTheQuarantineFailsAndLetsOtherPartitionsGoOn() {
        RuntimeException tooLarge = new IllegalStateException("value is too large");
        bench.failing.put("b", tooLarge);
        for (ConsistencyLevel level : List.of(ConsistencyLevel.STRONG, ConsistencyLevel.AT_LEAST_ONCE)) {
            IdempotentConsumer<Message> consumer = bench.level(level)
                    .store(faulty.store)
                    .cache(DuplicateCache.none())
                    .failures(FailurePolicy.quarantineAfter(1))
                    .build();
            faulty.fail("quarantine", tooLarge);

            BatchResult result = bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle));
            consumer.close();

            assertThat(result.outcomes().stream().map(Outcome::isSettled)).containsExactly(true, false, false, true);
            assertThat(result.stops().get(0).retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-5.6")
    void standsStillWhereTheStoreRefusesAMessageAndLetsOtherPartitionsGoOn(ConsistencyLevel level) {
        IdempotencyException refusal = new IdempotencyException("Whether b was processed is not known any more");
        faulty.fault = (verb, arguments) -> Set.of("claim", "lease").contains(verb) && isFor("b", arguments[0])
                ? Optional.of(refusal)
                : Optional.empty();
        IdempotentConsumer<Message> consumer = bench.level(level)
                .store(faulty.store)
                .cache(DuplicateCache.none())
                .build();
        List<Message> refused = Message.partition(0, "b", "c");
        List<Message> others = Message.partition(1, "x", "y");

        BatchResult result = consumer.consumeAll(
                Stream.concat(refused.stream(), others.stream()).toList(), bench::handle);
        consumer.close();

        assertThat(result.outcomes()).containsExactly(RELEASED, RELEASED, PROCESSED, PROCESSED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
            assertThat(stop.isCharged()).isFalse();
            assertThat(stop.cause())
                    .hasValueSatisfying(cause -> assertThat(cause)
                            .hasCause(refusal)
                            .hasMessageStartingWith("The store refuses billing/b at orders-0@0"));
        });
        assertThat(bench.events)
                .filteredOn(event -> event.outcome() == RELEASED)
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.failure()).isPresent();
                    assertThat(event.isTransient()).isTrue();
                });
        assertThatThrownBy(() -> consumer.consumeAll(refused, bench::handle)).hasCause(refusal);
        assertThat(bench.quarantine.list("billing", 10)).isEmpty();
    }

    /** The store can be used: it names a reason. So the call returns, even if it had no other result, and the log says it once. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-8.12")
    void tellsOnceWhyAPartitionStandsStillIfTheStoreSaysIt(ConsistencyLevel level) {
        StandStillException refusal =
                new StandStillException("set back", "Offsets of orders-0 were set back to 0. Set them behind 9");
        faulty.fault =
                (verb, arguments) -> Set.of("claim", "lease").contains(verb) ? Optional.of(refusal) : Optional.empty();
        IdempotentConsumer<Message> consumer = bench.level(level)
                .store(faulty.store)
                .cache(DuplicateCache.none())
                .build();

        try (LogCapture log = new LogCapture()) {
            for (int delivery = 0; delivery < 2; delivery++) {
                BatchResult result = consumer.consumeAll(Message.partition(0, "a", "b"), bench::handle);
                assertThat(result.outcomes()).containsExactly(RELEASED, RELEASED);
                assertThat(result.stops()).singleElement().satisfies(stop -> {
                    assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
                    assertThat(stop.isCharged()).isFalse();
                });
            }
            assertThat(log.all())
                    .filteredOn(line -> line.contains("stands still"))
                    .singleElement()
                    .asString()
                    .contains("Partition orders-0 stands still at billing/a at orders-0@0", "Set them behind 9");
        }
        consumer.close();
    }

    private static boolean isFor(String id, Object deliveries) {
        return ((List<?>) deliveries)
                .stream().anyMatch(each -> ((Delivery) each).id().value().equals(id));
    }

    @Test
    @Tag("rule-5.1")
    void readsTheBytesAtTheFirstFailureAndOutsideOfAnyTransaction() {
        List<Boolean> inTransaction = new ArrayList<>();
        bench.failing.put("a", new IOException("no"));
        IdempotentConsumer<Message> consumer =
                bench.strong().reader(noting(inTransaction)).build();

        for (int attempt = 0; attempt < 3; attempt++) {
            consumer.consumeAll(poll.subList(0, 1), bench::handle);
            assertThat(inTransaction).containsExactly(false);
        }

        assertThat(bench.quarantine.list("billing", 10)).hasSize(1);
    }

    /** Who has dead letters of his own has no use for them. */
    @Test
    @Tag("rule-5.1")
    void readsTheBytesOfWhatIsLeftToTheCallerOnlyIfHeQuarantinesIt() {
        List<Boolean> inTransaction = new ArrayList<>();
        bench.failing.put("a", new IOException("no"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(FailurePolicy.leaveToCaller())
                .reader(noting(inTransaction))
                .build();

        consumer.consumeAll(poll.subList(0, 1), bench::handle);
        consumer.consumeAll(poll.subList(0, 1), bench::handle);
        assertThat(inTransaction).isEmpty();
        consumer.quarantine(poll.get(0), new IOException("enough"));

        assertThat(inTransaction).containsExactly(false);
    }

    private MessageReader<Message> noting(List<Boolean> inTransaction) {
        return new MessageReader<>() {
            @Override
            public Position position(Message message) {
                return message.position();
            }

            @Override
            public Payload payload(Message message) {
                inTransaction.add(bench.store.transactions().isActive());
                return Message.READER.payload(message);
            }
        };
    }

    @Test
    void goesOnWithoutACacheThatFails() {
        DuplicateCache broken = new DuplicateCache() {
            @Override
            public Optional<Known> find(MessageId id) {
                throw new IllegalStateException("broken");
            }

            @Override
            public void remember(MessageId id, Known known) {
                throw new IllegalStateException("broken");
            }

            @Override
            public void forget(MessageId id) {
                throw new IllegalStateException("broken");
            }

            @Override
            public void clear() {}
        };
        for (ConsistencyLevel level : ConsistencyLevel.values()) {
            Bench fresh = new Bench();
            IdempotentConsumer<Message> consumer =
                    fresh.level(level).cache(broken).build();

            assertThat(consumer.consumeAll(poll, fresh::handle).outcomes()).containsOnly(PROCESSED);
            assertThat(consumer.consumeAll(poll, fresh::handle).outcomes())
                    .containsOnly(level == ConsistencyLevel.NONE ? PROCESSED : DUPLICATE);
            consumer.close();
        }
        IdempotentConsumer<Message> consumer = bench.strong().cache(broken).build();
        assertThatThrownBy(() -> consumer.forget("a")).hasMessage("broken");
    }

    @Test
    @Tag("rule-1.3")
    void chargesNobodyForWhatFailsAfterTheCommit() {
        IdempotentConsumer<Message> consumer = bench.strong().build();
        MessageHandler<Message> notifying = (message, claim) -> {
            bench.handle(message, claim);
            bench.store.transactions().afterCommit(() -> {
                throw new IllegalStateException("nobody could be notified");
            });
        };

        BatchResult result = consumer.consumeAll(Message.partition(0, "a"), notifying);

        assertThat(result.outcomes()).containsExactly(RELEASED);
        assertThat(bench.events).noneMatch(event -> event.attempts() > 0);
        assertThat(consumer.consumeAll(Message.partition(0, "a"), notifying).outcomes())
                .containsExactly(DUPLICATE);
        assertThat(bench.effects).containsExactly("a");
    }

    @Test
    @Tag("rule-1.1")
    void refusesARunnerThatCommitsAlthoughTheHandlerFailed() {
        bench.failing.put("a", new IOException("no"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .transactions(work -> bench.store.transactions().inTransaction(() -> {
                    try {
                        work.run();
                    } catch (RuntimeException e) {
                        assertThat(e).hasCauseInstanceOf(IOException.class);
                    }
                }))
                .build();

        assertThatThrownBy(() -> consumer.consumeAll(Message.partition(0, "a"), bench::handle))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("orders-0@0")
                .hasMessageContaining("although");
        assertThat(bench.cache.known).isEmpty();
    }

    @Test
    void rejectsAMessageWhoseIdCannotBeUsedByItsPosition() {
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();

        BatchResult result = consumer.reject(
                new Position("orders", 0, 7),
                Optional.of(" "),
                Payload.none(Payload.Origin.RAW),
                new IOException("cannot be deserialized"));

        assertThat(result.outcomes()).containsExactly(QUARANTINED);
        assertThat(bench.quarantine.list("billing", 10))
                .singleElement()
                .satisfies(id -> assertThat(id.value()).contains("orders-0@7"));
    }

    @Test
    @Tag("rule-2.8")
    void keepsEachOfTwoRejectedMessagesThatStoodAtOnePosition() {
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();

        assertThat(List.of("first", "second", "first"))
                .allSatisfy(value -> assertThat(rejected(consumer, value)).isNotEqualTo(RELEASED));

        assertThat(bench.quarantine.list("billing", 10))
                .extracting(id -> new String(
                        bench.quarantine
                                .find(id)
                                .orElseThrow()
                                .message()
                                .payload()
                                .value(),
                        UTF_8))
                .containsExactly("first", "second");
    }

    private static Outcome rejected(IdempotentConsumer<Message> consumer, String value) {
        return consumer.reject(
                        new Position("orders", 0, 7),
                        Optional.empty(),
                        new Payload(null, value.getBytes(UTF_8), List.of(), Payload.Origin.RAW),
                        new IOException("cannot be deserialized"))
                .outcomes()
                .get(0);
    }

    @Test
    @Tag("rule-1.6")
    void doesNotStandStillAtAMessageThatIsSettled() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(2)
                .build();
        IOException cause = new IOException("cannot be deserialized");
        List<Outcome> outcomes = new ArrayList<>();
        for (long offset : new long[] {0, 1, 2, 0, 1}) {
            outcomes.addAll(consumer.reject(
                            new Position("orders", 0, offset),
                            Optional.empty(),
                            Payload.none(Payload.Origin.RAW),
                            cause)
                    .outcomes());
        }

        assertThat(outcomes).containsExactly(QUARANTINED, QUARANTINED, RELEASED, QUARANTINED, QUARANTINED);
    }

    @Test
    @Tag("rule-1.6")
    void standsStillAlthoughDuplicatesCameBetween() {
        IOException same = new IOException("the other system is down");
        List.of("a", "b", "c").forEach(id -> bench.failing.put(id, same));
        bench.strong().build().consume(Message.of("known", 1, 0), bench::handle);
        IdempotentConsumer<Message> consumer = bench.strong()
                .cache(DuplicateCache.none())
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(2)
                .build();

        BatchResult result = bench.deliver(
                Message.partition(0, "a", "known", "b", "known", "c"),
                messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(result.outcomes()).containsExactly(QUARANTINED, DUPLICATE, QUARANTINED, DUPLICATE, RELEASED);
    }

    @Test
    void handlesAllMessagesInsideTheTransactionOfTheCallerHoweverLongItTakes() {
        IdempotentConsumer<Message> consumer =
                bench.strong().chunk(2, Duration.ofNanos(1)).build();

        bench.store
                .transactions()
                .inTransaction(() -> assertThat(
                                consumer.consumeAll(poll, bench::handle).outcomes())
                        .containsOnly(PROCESSED));

        assertThat(bench.effects).containsExactly("a", "b", "c", "x");
    }

    @Test
    void takesAChunkTimeWithoutEnd() {
        IdempotentConsumer<Message> consumer =
                bench.strong().chunk(2, Duration.ofSeconds(Long.MAX_VALUE)).build();

        assertThat(consumer.consumeAll(poll, bench::handle).isSettled()).isTrue();
    }
}

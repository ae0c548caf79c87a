package io.idempotency;

import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Leases in processes that die, pause and end. */
class LeaseSafetyTest {

    private static final Duration LEASE = Duration.ofMinutes(1);

    private final Bench bench = new Bench();
    private final FaultyStore faulty = new FaultyStore(bench.store);
    private final List<Message> poll = Stream.concat(
                    Message.partition(0, "poison", "b").stream(), Message.partition(1, "x", "y").stream())
            .toList();

    private IdempotentConsumer<Message> consumer(int attempts) {
        return bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                .store(faulty.store)
                .failures(FailurePolicy.quarantineAfter(attempts))
                .build();
    }

    private static Delivery delivery(String id, int partition, long offset) {
        return new Delivery(new MessageId("billing", id), new Position("orders", partition, offset));
    }

    @Test
    @Tag("rule-7.6")
    void doesNotCountALeaseThatCouldNotBeReleasedAsAStart() {
        IdempotentConsumer<Message> consumer = consumer(3);
        bench.failing.put("b", new TransientStoreException("connection lost"));
        for (int i = 0; i < 6; i++) {
            faulty.fail("release", new TransientStoreException("connection lost"));
            consumer.consumeAll(poll, bench::handle);
            faulty.mend();
            bench.passTime(LEASE.plusSeconds(1));
        }
        bench.failing.clear();

        BatchResult mended = consumer.consumeAll(poll, bench::handle);

        consumer.close();
        assertThat(mended.isSettled()).isTrue();
        assertThat(mended.outcomes()).doesNotContain(QUARANTINED);
        assertThat(bench.effects).contains("b");
    }

    @Test
    @Tag("rule-7.6")
    void leasesNothingAsLongAsLeasesCannotBeReleased() {
        IdempotentConsumer<Message> consumer = consumer(3);
        bench.failing.put("b", new TransientStoreException("connection lost"));
        faulty.fail("release", new TransientStoreException("connection lost"));
        consumer.consumeAll(poll, bench::handle);
        long before = faulty.count("lease");

        BatchResult result = consumer.consumeAll(poll, bench::handle);

        consumer.close();
        assertThat(faulty.count("lease")).isEqualTo(before);
        assertThat(result.outcomes()).contains(RELEASED);
    }

    /** A process that begins with the messages and dies of poison. */
    private void die(int attempts) {
        IdempotentConsumer<Message> process = consumer(attempts);
        assertThatThrownBy(() -> process.consumeAll(poll, (message, claim) -> {
                    if (message.id().equals("poison")) {
                        faulty.isDead.set(true);
                        throw new OutOfMemoryError("the process dies here");
                    }
                    bench.handle(message, claim);
                }))
                .isInstanceOf(Throwable.class);
        process.close();
        bench.passTime(LEASE.plusSeconds(1));
        faulty.isDead.set(false);
    }

    @Test
    @Tag("rule-3.6")
    void quarantinesPoisonThatKillsItsProcessAndNoMessageOfAnotherPartition() {
        die(3);
        die(3);
        die(3);
        IdempotentConsumer<Message> last = consumer(3);

        BatchResult result = last.consumeAll(poll, bench::handle);
        last.close();

        assertThat(result.outcomes()).containsExactly(QUARANTINED, PROCESSED, PROCESSED, PROCESSED);
    }

    @Test
    @Tag("rule-3.6")
    void quarantinesNoMessageThatWasOnlyLeasedWhenItsProcessDied() {
        die(1);
        IdempotentConsumer<Message> next = consumer(1);

        BatchResult result = next.consumeAll(poll.subList(1, 4), bench::handle);
        next.close();

        assertThat(result.outcomes()).containsOnly(PROCESSED);
        assertThat(bench.effects).containsExactly("b", "x", "y");
    }

    @Test
    @Tag("rule-3.6")
    void countsHandlersThatBrokeTheVirtualMachineAlthoughTheProcessWentOn() {
        bench.failing.put("poison", new InternalError("made up"));
        for (int i = 0; i < 3; i++) {
            IdempotentConsumer<Message> consumer = consumer(3);
            assertThatThrownBy(() -> consumer.consumeAll(poll, bench::handle)).isInstanceOf(InternalError.class);
            consumer.close();
        }
        IdempotentConsumer<Message> last = consumer(3);

        BatchResult result = last.consumeAll(poll, bench::handle);
        last.close();

        assertThat(result.outcomes()).containsExactly(QUARANTINED, PROCESSED, PROCESSED, PROCESSED);
    }

    @Test
    @Tag("rule-3.5")
    void leavesAFailedMessageAloneWhoseLeaseAnotherAttemptHasTaken() {
        IdempotentConsumer<Message> consumer = consumer(1);

        BatchResult result = consumer.consumeAll(poll, (message, claim) -> {
            if (message.id().equals("poison")) {
                bench.passTime(LEASE.plusSeconds(1));
                bench.store.lease(List.of(claim.delivery()), LEASE);
                throw new IOException("late");
            }
            bench.handle(message, claim);
        });
        consumer.close();

        assertThat(result.outcomes()).containsExactly(RELEASED, RELEASED, PROCESSED, PROCESSED);
        assertThat(result.stops().get(0).retryAfter()).isLessThan(IdempotentConsumer.STAND_STILL);
        assertThat(bench.quarantine.list("billing", 1)).isEmpty();
    }

    @Test
    void givesUpLeasesThatTheStoreRefusesToComplete() {
        IdempotentConsumer<Message> consumer = consumer(3);
        faulty.fault = (verb, arguments) ->
                verb.equals("complete") && arguments[0].toString().contains("poison")
                        ? Optional.of(new IllegalStateException("refused"))
                        : Optional.empty();
        assertThatThrownBy(() -> consumer.consumeAll(poll.subList(0, 1), bench::handle))
                .hasMessageContaining("refused");

        assertThat(consumer.consumeAll(poll.subList(2, 4), bench::handle).outcomes())
                .containsExactly(PROCESSED, PROCESSED);
        consumer.close();
    }

    /** Found by the simulation: the failure was lost, and the handler got the same object again in the same call. */
    @Test
    void chargesAFailureAlthoughTheStoreRefusesToCompleteWhatWasHandledBeforeIt() {
        IdempotentConsumer<Message> consumer = consumer(3);
        List<String> calls = new ArrayList<>();
        faulty.fault = (verb, arguments) ->
                verb.equals("complete") ? Optional.of(new IllegalStateException("refused")) : Optional.empty();

        BatchResult result = consumer.consumeAll(
                List.of(Message.of("a", 0, 0), Message.of("b", 1, 0), Message.of("c", 1, 1)), (message, claim) -> {
                    calls.add(message.id());
                    if (message.id().equals("b")) {
                        throw new IllegalArgumentException("b fails");
                    }
                });
        consumer.close();

        assertThat(calls).containsExactly("a", "b");
        assertThat(result.outcomes()).containsExactly(RELEASED, RELEASED, RELEASED);
        assertThat(result.stops()).hasSize(2);
        assertThat(result.stops().get(0).cause()).get().asString().contains("refused");
        assertThat(result.stops().get(1).cause()).get().asString().contains("b fails");
    }

    @Test
    void renewsTheOthersAtOnceWhenALeaseIsLost() {
        List<Delivery> both = List.of(delivery("a", 0, 0), delivery("b", 1, 0));
        try (LeaseKeeper keeper = new LeaseKeeper(bench.store, LEASE, "billing");
                HeldLeases held = new HeldLeases(keeper, bench.store.lease(both, LEASE))) {
            bench.passTime(LEASE.plusSeconds(1));
            bench.store.lease(both.subList(0, 1), LEASE);

            held.renew();

            assertThat(bench.store.lease(both.subList(1, 2), LEASE).get(0).status())
                    .isEqualTo(Claim.Status.IN_PROGRESS);
        }
    }

    @Test
    void tellsOnceOfALeaseThatAnotherAttemptHasTaken() {
        List<Delivery> lost = new ArrayList<>();
        IdempotentConsumer<Message> consumer = bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                .lease(LEASE)
                .listener(new ConsumptionListener() {
                    @Override
                    public void onConsumption(Consumption consumption) {}

                    @Override
                    public void onLeaseLost(Delivery delivery) {
                        lost.add(delivery);
                    }
                })
                .build();
        Message paused = Message.of("a", 0, 0);

        consumer.consumeAll(List.of(paused), (message, claim) -> {
            bench.passTime(LEASE.plusSeconds(1));
            bench.store.lease(List.of(delivery("a", 0, 0)), LEASE);
        });
        consumer.close();

        assertThat(lost).containsExactly(delivery("a", 0, 0));
    }

    @Test
    void renewsNoLeaseThatIsBeingSettledInATransaction() {
        Delivery one = delivery("a", 0, 0);
        try (LeaseKeeper keeper = new LeaseKeeper(bench.store, LEASE, "billing");
                HeldLeases held = new HeldLeases(keeper, bench.store.lease(List.of(one), LEASE))) {
            Claim taken = requireNonNull(held.take(one));
            bench.passTime(Duration.ofSeconds(20));

            held.renew();

            assertThatCode(() -> bench.store.quarantine(taken)).doesNotThrowAnyException();
        }
    }

    @Test
    void releasesALeaseThatCouldNotBeSettled() {
        Delivery one = delivery("a", 0, 0);
        LeaseKeeper keeper = new LeaseKeeper(bench.store, LEASE, "billing");
        HeldLeases held = new HeldLeases(keeper, bench.store.lease(List.of(one), LEASE));
        held.putBack(requireNonNull(held.take(one)));

        held.close();

        keeper.close();
        assertThat(bench.store.lease(List.of(one), LEASE).get(0).isGranted()).isTrue();
    }

    @Test
    void goesOnRenewingAfterAnError() {
        AtomicBoolean failed = new AtomicBoolean();
        faulty.fault = (verb, arguments) -> verb.equals("renew") && failed.compareAndSet(false, true)
                ? Optional.of(new NoClassDefFoundError("made up"))
                : Optional.empty();
        IdempotentConsumer<Message> consumer = bench.level(ConsistencyLevel.AT_LEAST_ONCE)
                .store(faulty.store)
                .lease(Duration.ofMillis(100))
                .build();

        Outcome outcome =
                consumer.consume(poll.get(0), (message, claim) -> await().until(() -> faulty.count("renew") > 2));
        consumer.close();

        assertThat(outcome).isEqualTo(PROCESSED);
    }

    @Test
    void renewsTheLeaseOfARunningHandlerUntilItEndsAlthoughTheConsumerIsClosed() {
        List<Long> renewals = new ArrayList<>();
        IdempotentConsumer<Message> consumer = IdempotentConsumer.<Message>named("ending")
                .level(ConsistencyLevel.AT_LEAST_ONCE)
                .messageId(Message::messageId)
                .store(faulty.store)
                .lease(Duration.ofMillis(100))
                .build();

        consumer.consume(poll.get(0), (message, claim) -> {
            consumer.close();
            renewals.add(faulty.count("renew"));
            await().until(() -> faulty.count("renew") > renewals.get(0));
        });

        await().until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("idempotency-leases-ending")));
    }
}

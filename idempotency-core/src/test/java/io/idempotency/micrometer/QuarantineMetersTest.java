package io.idempotency.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.StoredMessages;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What the nodes tell of messages in quarantine. */
class QuarantineMetersTest {

    private Instant now = Instant.parse("2026-11-28T12:00:00Z");
    private final MemoryStore store = MemoryStore.builder().clock(() -> now).build();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    private final IdempotentConsumer<String> billing = IdempotentConsumer.<String>named("billing")
            .store(store)
            .quarantine(quarantine)
            .failures(FailurePolicy.quarantineAfter(1))
            .messageId(Optional::of)
            .build();
    private final List<String> questions = new ArrayList<>();
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final QuarantineMeters meters = meters(registry);

    private QuarantineMeters meters(MeterRegistry of) {
        QuarantineStore asked = (QuarantineStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {QuarantineStore.class}, (proxy, method, arguments) -> {
                    questions.add(method.getName());
                    return method.invoke(quarantine, arguments);
                });
        return QuarantineMeters.of(of, store, asked, () -> List.of("billing", "mails"));
    }

    private void quarantine(String id) {
        billing.consumeAll(List.of(id), (message, claim) -> {
            throw new IllegalStateException("no such account");
        });
    }

    private static double value(MeterRegistry of, String meter, String consumer) {
        return of.get(meter).tag("consumer", consumer).gauge().value();
    }

    @Test
    void countsTheMessagesOfEachConsumerAndTheAgeOfTheOldest() {
        quarantine("a");
        now = now.plusSeconds(100);
        quarantine("b");

        meters.count();

        assertThat(value(registry, MeterNames.QUARANTINED, "billing")).isEqualTo(2);
        assertThat(value(registry, MeterNames.OLDEST, "billing")).isEqualTo(100);
        assertThat(value(registry, MeterNames.QUARANTINED, "mails")).isZero();
        assertThat(value(registry, MeterNames.OLDEST, "mails")).isZero();
    }

    @Test
    void asksNothingWhenTheRegistryIsRead() {
        quarantine("a");
        meters.count();
        assertThat(questions).containsExactly("totals");

        registry.getMeters().forEach(Meter::measure);

        assertThat(questions).containsExactly("totals");
    }

    @Test
    void followsWhatIsInQuarantine() {
        quarantine("a");
        meters.count();
        quarantine("b");
        meters.count();

        assertThat(value(registry, MeterNames.QUARANTINED, "billing")).isEqualTo(2);
    }

    /** A store that forgets what was settled more than an hour ago, by the clock of the test. */
    private ClaimStore remembering(Optional<Instant> since) {
        StoredMessages messages = (StoredMessages) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {StoredMessages.class}, (proxy, method, arguments) -> {
                    questions.add(method.getName());
                    return new StoredMessages.Retained(Optional.of(Duration.ofHours(1)), since);
                });
        return (ClaimStore) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {ClaimStore.class},
                (proxy, method, arguments) -> method.getName().equals("now") ? now : messages);
    }

    @Test
    void showsHowFarBackEachConsumerRemembersOnEachNode() {
        MeterRegistry other = new SimpleMeterRegistry();
        for (MeterRegistry node : List.of(registry, other)) {
            QuarantineMeters.of(node, store, quarantine, () -> List.of("billing", "mails"))
                    .horizons(consumer -> remembering(
                            consumer.equals("billing") ? Optional.of(now.minusSeconds(7_200)) : Optional.empty()))
                    .count();

            assertThat(value(node, MeterNames.HORIZON_AGE, "billing")).isEqualTo(7_200);
            assertThat(node.find(MeterNames.HORIZON_AGE).gauges())
                    .as("the other one has forgotten nothing yet")
                    .hasSize(1);
        }
        assertThat(questions).containsOnly("retained").hasSize(4);
        registry.getMeters().forEach(Meter::measure);
        assertThat(questions).hasSize(4);
    }

    @Test
    void leavesOutTheHorizonOfAStoreWithoutVerbsForOperators() {
        ClaimStore plain = (ClaimStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ClaimStore.class}, (proxy, method, arguments) -> {
                    throw new UnsupportedOperationException();
                });

        meters.horizons(consumer -> plain).count();

        assertThat(registry.find(MeterNames.HORIZON_AGE).gauges()).isEmpty();
        assertThat(value(registry, MeterNames.QUARANTINED, "billing")).isZero();
    }

    @Test
    void showsNoOldHorizonIfAStoreFails() {
        boolean[] isDown = new boolean[1];
        QuarantineMeters asking = QuarantineMeters.of(registry, store, quarantine, () -> List.of("billing"))
                .horizons(consumer -> {
                    if (isDown[0]) {
                        throw new IllegalStateException("down");
                    }
                    return remembering(Optional.of(now.minusSeconds(7_200)));
                });
        asking.count();
        isDown[0] = true;

        assertThatThrownBy(asking::count).hasMessage("down");

        assertThat(registry.find(MeterNames.HORIZON_AGE).gauges()).isEmpty();
        assertThat(value(registry, MeterNames.QUARANTINED, "billing")).isZero();
    }

    @Test
    void isShownByOneNodeSoThatSumsAreRight() {
        MeterRegistry other = new SimpleMeterRegistry();
        QuarantineMeters second = meters(other);
        quarantine("a");

        meters.count();
        second.count();

        assertThat(sum(registry) + sum(other)).isEqualTo(1);
        assertThat(other.getMeters()).isEmpty();
    }

    private static double sum(MeterRegistry of) {
        return of.find(MeterNames.QUARANTINED).gauges().stream()
                .mapToDouble(Gauge::value)
                .sum();
    }

    @Test
    void isShownByAnotherNodeAfterTheFirstOneHasDied() {
        MeterRegistry other = new SimpleMeterRegistry();
        QuarantineMeters second = meters(other);
        quarantine("a");
        meters.count();
        now = now.plus(QuarantineMeters.LEASE).plusSeconds(1);

        second.count();
        meters.count();

        assertThat(value(other, MeterNames.QUARANTINED, "billing")).isEqualTo(1);
        assertThat(registry.getMeters()).as("the first one was only slow").isEmpty();
    }

    @Test
    void isShownByAnotherNodeAtOnceIfTheFirstOneIsClosed() {
        MeterRegistry other = new SimpleMeterRegistry();
        QuarantineMeters second = meters(other);
        meters.count();

        meters.close();
        meters.count();
        second.count();

        assertThat(registry.getMeters()).isEmpty();
        assertThat(value(other, MeterNames.QUARANTINED, "billing")).isZero();
    }

    /** A pool waits for a connection until it is interrupted, and much longer than a shutdown may take. */
    @Test
    @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
    void isClosedAlthoughTheDatabaseIsAway() {
        CountDownLatch isBack = new CountDownLatch(1);
        boolean[] isAway = new boolean[1];
        LeaseStore waiting = (LeaseStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {LeaseStore.class}, (proxy, method, arguments) -> {
                    if (isAway[0]) {
                        isBack.await();
                    }
                    return method.invoke(store, arguments);
                });
        QuarantineMeters meters = QuarantineMeters.of(registry, waiting, quarantine, List::of);
        meters.count();
        isAway[0] = true;

        meters.close();

        assertThat(registry.getMeters()).isEmpty();
        assertThat(isBack.getCount()).as("nobody needed the database").isEqualTo(1);
    }

    @Test
    @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
    void isClosedAlthoughACountWaitsForTheDatabase() throws InterruptedException {
        CountDownLatch isWaiting = new CountDownLatch(1);
        LeaseStore away = (LeaseStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {LeaseStore.class}, (proxy, method, arguments) -> {
                    isWaiting.countDown();
                    new CountDownLatch(1).await();
                    throw new IllegalStateException("never comes back");
                });
        QuarantineMeters meters =
                QuarantineMeters.of(registry, away, quarantine, List::of).start();
        isWaiting.await();

        meters.close();

        assertThat(registry.getMeters()).isEmpty();
    }

    /** A read from a server that went silent heeds no interruption. */
    @Test
    @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
    void isClosedAlthoughTheConnectionOfACountHangs() throws InterruptedException {
        CountDownLatch isWaiting = new CountDownLatch(1);
        Semaphore answer = new Semaphore(0);
        QuarantineStore silent = (QuarantineStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {QuarantineStore.class}, (proxy, method, arguments) -> {
                    isWaiting.countDown();
                    answer.acquireUninterruptibly();
                    return method.invoke(quarantine, arguments);
                });
        quarantine("a");
        QuarantineMeters meters = QuarantineMeters.of(registry, store, silent, () -> List.of("billing"));
        Thread counting = new Thread(meters::count);
        counting.start();
        isWaiting.await();

        meters.close();
        answer.release();
        counting.join();

        assertThat(registry.getMeters())
                .as("what a late answer says is not shown")
                .isEmpty();
    }

    @Test
    void showsNothingOldIfCountingFails() {
        quarantine("a");
        QuarantineStore[] asked = {quarantine};
        QuarantineStore failing = (QuarantineStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {QuarantineStore.class}, (proxy, method, arguments) -> {
                    if (asked[0] == null) {
                        throw new IllegalStateException("down");
                    }
                    return method.invoke(asked[0], arguments);
                });
        QuarantineMeters meters = QuarantineMeters.of(registry, (LeaseStore) store, failing, List::of);
        meters.count();
        QuarantineStore up = asked[0];
        asked[0] = null;

        assertThatThrownBy(meters::count).hasMessage("down");
        assertThat(registry.getMeters()).isEmpty();

        asked[0] = up;
        meters.count();
        assertThat(value(registry, MeterNames.QUARANTINED, "billing")).isEqualTo(1);
    }

    @Test
    void keepsTheTurnForLongerThanThePause() {
        assertThat(QuarantineMeters.LEASE).isGreaterThan(QuarantineMeters.INTERVAL.multipliedBy(2));
        assertThat(QuarantineMeters.INTERVAL).isEqualTo(Duration.ofMinutes(1));
    }
}

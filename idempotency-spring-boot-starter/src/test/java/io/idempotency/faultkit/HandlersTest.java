package io.idempotency.faultkit;

import static io.idempotency.faultkit.Runs.AGAIN;
import static io.idempotency.faultkit.Runs.ANSWER_LOST;
import static io.idempotency.faultkit.Runs.COMMIT_FAILS;
import static io.idempotency.faultkit.Runs.DIES_AFTER_EFFECT;
import static io.idempotency.faultkit.Runs.DIES_BEFORE_EFFECT;
import static io.idempotency.faultkit.Runs.UNDISTURBED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.IdempotentConsumer;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/** The kit on handlers with a store in memory. */
class HandlersTest {

    record Order(String id) {}

    /** What users write. It is run by the tests around it. */
    static class Users {

        private static final Map<String, String> CHARGES = new ConcurrentHashMap<>();
        private static final List<String> CALLS = new ArrayList<>();
        private static final Set<String> SEEN = new HashSet<>();

        static IdempotentConsumer<Order> consumer(ClaimStore store) {
            return builder(store, ConsistencyLevel.STRONG);
        }

        static IdempotentConsumer<Order> builder(ClaimStore store, ConsistencyLevel level) {
            return IdempotentConsumer.<Order>named("billing")
                    .store(store)
                    .level(level)
                    .lease(Duration.ofMillis(100))
                    .messageId(order -> Optional.of(order.id()))
                    .build();
        }

        @IdempotencyTest
        void chargesByTheIdOfTheOrder(FaultKit kit) {
            var billing = consumer(kit.store(MemoryStore.create()));
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> CHARGES.put(order.id(), "charged"));
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest
        void chargesByTheIdUnderALease(FaultKit kit) {
            var billing = builder(kit.store(MemoryStore.create()), ConsistencyLevel.AT_LEAST_ONCE);
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> CHARGES.put(order.id(), "charged"));
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest
        void callsSomethingOutsideTheTransaction(FaultKit kit) {
            var billing = consumer(kit.store(MemoryStore.create()));
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> CALLS.add(order.id()));
            kit.effects(CALLS::size);
        }

        @IdempotencyTest
        void callsSomethingUnderALease(FaultKit kit) {
            var billing = builder(kit.store(MemoryStore.create()), ConsistencyLevel.AT_LEAST_ONCE);
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> CALLS.add(order.id()));
            kit.effects(CALLS::size);
        }

        @IdempotencyTest
        void callsSomethingAtMostOnce(FaultKit kit) {
            var billing = builder(kit.store(MemoryStore.create()), ConsistencyLevel.AT_MOST_ONCE);
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> CALLS.add(order.id()));
            kit.effects(CALLS::size);
        }

        @IdempotencyTest
        void remembersBeforeTheCommit(FaultKit kit) {
            ClaimStore store = kit.store(MemoryStore.create());
            var billing = consumer(store);
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> {
                if (SEEN.add(order.id())) {
                    store.transactions().afterCommit(() -> CHARGES.put(order.id(), "charged"));
                }
            });
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest
        void takesAnotherIdEachTime(FaultKit kit) {
            var billing = IdempotentConsumer.<Order>named("billing")
                    .store(kit.store(MemoryStore.create()))
                    .messageId(order -> Optional.of(order.id() + CALLS.size()))
                    .build();
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> CALLS.add(order.id()));
            kit.effects(CALLS::size);
        }

        @IdempotencyTest
        void doesNothing(FaultKit kit) {
            var billing = consumer(kit.store(MemoryStore.create()));
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> {});
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest(patienceSeconds = 0)
        void leasesForLong(FaultKit kit) {
            var billing = builder(kit.store(MemoryStore.create()), ConsistencyLevel.AT_LEAST_ONCE);
            kit.deliver(() -> new Order(kit.id()), billing, (order, claim) -> CHARGES.put(order.id(), "charged"));
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest(patienceSeconds = 0)
        void neverSettles(FaultKit kit) {
            kit.deliver(() -> new Order(kit.id()), order -> {
                throw new IllegalStateException("No money");
            });
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest
        void sendsNothing(FaultKit kit) {
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest
        void countsNothing(FaultKit kit) {
            kit.deliver(() -> new Order(kit.id()), order -> {});
        }

        @IdempotencyTest
        void sendsWithoutAnApplication(FaultKit kit) {
            kit.send("orders", "order");
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest
        void queriesWithoutADataSource(FaultKit kit) {
            kit.deliver(() -> new Order(kit.id()), order -> {});
            kit.effects("select count(*) from charge");
        }

        @IdempotencyTest
        void hasNoKit() {}

        @IdempotencyTest
        void repeatsItsMessage(FaultKit kit) {
            kit.deliver(() -> new Order("always the same"), order -> CHARGES.put(order.id(), "charged"));
            kit.effects(CHARGES::size);
        }

        @IdempotencyTest
        void deliversTwoMessages(FaultKit kit) {
            kit.deliver(() -> new Order(kit.id()), order -> CHARGES.put(order.id(), "charged"));
            kit.deliver(() -> new Order(kit.id()), order -> CHARGES.put(order.id(), "charged"));
            kit.effects(CHARGES::size);
        }
    }

    private static TestRun run(String method) {
        return TestRun.of(Users.class, method);
    }

    @Test
    void passesAnEffectThatMayRepeat() {
        TestRun run = run("chargesByTheIdOfTheOrder");

        assertThat(run.failures()).isEmpty();
        assertThat(run.names())
                .containsExactly(UNDISTURBED, AGAIN, DIES_BEFORE_EFFECT, DIES_AFTER_EFFECT, COMMIT_FAILS, ANSWER_LOST);
    }

    @Test
    void waitsForTheLeaseOfADeadProcess() {
        TestRun run = run("chargesByTheIdUnderALease");

        assertThat(run.failures()).isEmpty();
        assertThat(run.names()).containsExactly(UNDISTURBED, AGAIN, DIES_BEFORE_EFFECT, DIES_AFTER_EFFECT);
    }

    @Test
    void findsAnEffectOutsideTheTransaction() {
        assertThat(run("callsSomethingOutsideTheTransaction").failures())
                .containsOnlyKeys(DIES_AFTER_EFFECT, COMMIT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "had 2 effects instead of 1",
                                "The effect is not in the transaction that was rolled back"));
    }

    @Test
    void saysThatAnEffectUnderALeaseMayRepeat() {
        assertThat(run("callsSomethingUnderALease").failures())
                .containsOnlyKeys(DIES_AFTER_EFFECT)
                .allSatisfy((fault, failure) -> assertThat(failure).contains("At AT_LEAST_ONCE an effect may repeat"));
    }

    @Test
    void findsAClaimThatIsCommittedBeforeTheEffect() {
        assertThat(run("callsSomethingAtMostOnce").failures())
                .containsOnlyKeys(DIES_BEFORE_EFFECT, ANSWER_LOST)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains("lost the effect: 0 instead of 1", "At AT_MOST_ONCE an effect may be missing"));
    }

    @Test
    void findsACacheThatIsFilledBeforeTheCommit() {
        assertThat(run("remembersBeforeTheCommit").failures())
                .containsOnlyKeys(DIES_AFTER_EFFECT, COMMIT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "lost the effect: 0 instead of 1",
                                "a set or cache in memory that is filled before the commit"));
    }

    @Test
    void findsIdsThatDifferFromCopyToCopy() {
        assertThat(run("takesAnotherIdEachTime").failure())
                .contains("instead of 1", "nothing failed", "The copies of one message have different ids");
    }

    @Test
    void saysThatNothingIsCounted() {
        assertThat(run("doesNothing").failure())
                .contains(
                        "had no effect, although nothing failed",
                        "the handler was called; PROCESSED",
                        "Either the handler does nothing");
    }

    @Test
    void saysWhyAMessageIsNotSettled() {
        assertThat(run("neverSettles").failure()).contains("was not settled within 0 s", "No money");
    }

    @Test
    void saysThatADeadProcessMayHoldALease() {
        Map<String, String> failures = run("leasesForLong").failures();

        assertThat(failures.get(DIES_BEFORE_EFFECT))
                .contains("was not settled within 0 s", "The dead process may hold a lease", "idempotency.lease=200ms");
        assertThat(failures.get(DIES_AFTER_EFFECT)).contains("An earlier message of this test is not settled");
    }

    @Test
    void saysWhatIsMissing() {
        assertThat(run("sendsNothing").failure()).contains("sends no message", "send(..)", "deliver(..)");
        assertThat(run("countsNothing").failure()).contains("counts no effects");
        assertThat(run("sendsWithoutAnApplication").failure()).contains("@SpringBootTest", "@EmbeddedKafka");
        assertThat(run("queriesWithoutADataSource").failure()).contains("effects(dataSource, query)");
        assertThat(run("repeatsItsMessage").failure()).contains("take what has to be new in each message from id()");
        assertThat(run("deliversTwoMessages").failure()).contains("deliver(..) was called twice");
        assertThat(run("hasNoKit").failure()).contains("parameter of the type FaultKit");
    }
}

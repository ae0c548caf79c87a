package io.idempotency.results;

import static io.idempotency.ConsistencyLevel.AT_LEAST_ONCE;
import static io.idempotency.ConsistencyLevel.STRONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.results.ResultScene.Request;
import io.idempotency.store.Claim;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StepsTest {

    private static final Request PAY = new Request("1", "pay 10");

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.6")
    void callsAFinishedStepNeverAgain(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            IdempotentConsumer<Request> consumer = scene.consumer(AT_LEAST_ONCE);
            Steps steps = Steps.in(scene.results, ResultScene.TEXT);
            List<String> charges = new ArrayList<>();
            List<String> mails = new ArrayList<>();
            List<String> receipts = new ArrayList<>();

            for (int attempt = 0; attempt < 3; attempt++) {
                boolean isFailing = attempt < 2;
                Runnable run = () -> consumer.consume(PAY, steps.handler((request, step) -> {
                    receipts.add(step.once("charge", String.class, key -> {
                        charges.add(key);
                        return "receipt " + UUID.randomUUID();
                    }));
                    step.once("mail", key -> {
                        mails.add(key);
                        if (isFailing) {
                            throw new IllegalStateException("as planned");
                        }
                    });
                }));
                if (isFailing) {
                    assertThatThrownBy(run::run).hasMessage("as planned");
                } else {
                    run.run();
                }
            }

            assertThat(charges).hasSize(1);
            assertThat(receipts).hasSize(3).containsOnly(receipts.get(0));
            assertThat(mails).as("the same key at each attempt").hasSize(3).containsOnly(mails.get(0));
            assertThat(mails.get(0)).isNotEqualTo(charges.get(0));
            assertThat(consumer.consume(PAY, (request, claim) -> {})).isEqualTo(Outcome.DUPLICATE);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.2")
    void aLateOwnerRecordsNothing(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            Claim late = scene.lease("1", Duration.ofMinutes(1));
            scene.passTime(Duration.ofMinutes(2));
            Claim next = scene.lease("1", Duration.ofMinutes(1));
            assertThat(next.isLease()).isTrue();

            assertThatThrownBy(() -> scene.results.put(late, ResultScene.result("charge", "late")))
                    .isInstanceOf(TransientStoreException.class)
                    .hasMessageContaining("attempt 1");
            scene.results.put(next, ResultScene.result("charge", "mine"));
            scene.store.complete(List.of(next));
            assertThatThrownBy(() -> scene.results.put(late, ResultScene.result("charge", "late")))
                    .isInstanceOf(TransientStoreException.class);

            assertThat(scene.stored("1")).containsExactly("charge=mine");
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.2")
    void anOwnerWhoseLeaseWasRenewedOrHasEndedRecords(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            Claim claim = scene.lease("1", Duration.ofMinutes(1));
            scene.store.renew(List.of(claim), Duration.ofMinutes(3));
            scene.results.put(claim, ResultScene.result("renewed", "a"));

            assertThat(scene.stored("1")).containsExactly("renewed=a");
        }
    }

    @Test
    @Tag("rule-12.6")
    void failsLoudlyIfAStepVanishedOrChangedItsType() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            Steps steps = Steps.in(scene.results, ResultScene.TEXT);
            steps.of(scene.lease("1", Duration.ofMinutes(1))).once("charge", String.class, key -> "a");
            scene.passTime(Duration.ofMinutes(2));
            Claim claim = scene.lease("1", Duration.ofMinutes(1));

            List<String> called = new ArrayList<>();
            assertThatThrownBy(() -> steps.of(claim).once("mail", called::add))
                    .isInstanceOf(StepChangedException.class)
                    .hasMessageContaining("charge")
                    .hasMessageContaining("api/1");
            assertThatThrownBy(() -> steps.of(claim).once("charge", called::add))
                    .isInstanceOf(StepChangedException.class)
                    .hasMessageContaining("java.lang.String");
            assertThatThrownBy(() -> steps.handler((request, step) -> called.add("handled"))
                            .handle(PAY, claim))
                    .isInstanceOf(StepChangedException.class);
            assertThat(called).containsExactly("handled");
        }
    }

    @Test
    void refusesStepsThatCannotBeToldApartOrRecorded() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            Steps steps = Steps.in(scene.results, ResultScene.TEXT);
            Claim claim = scene.lease("1", Duration.ofMinutes(1));
            MessageSteps step = steps.of(claim);
            step.once("charge", key -> {});

            assertThatThrownBy(() -> step.once("charge", key -> {})).hasMessageContaining("two steps named charge");
            assertThatThrownBy(() -> step.once("", key -> {})).hasMessageContaining("no name of a step");
            assertThatThrownBy(() -> step.once("$answer", key -> {})).hasMessageContaining("no name of a step");
            assertThatThrownBy(() ->
                            scene.consumer(STRONG).consume(new Request("2", ""), steps.handler((request, none) -> {})))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("AT_LEAST_ONCE");
            List<String> called = new ArrayList<>();
            steps.ofThread().once("charge", called::add);
            steps.ofThread().once("charge", called::add);
            assertThat(called)
                    .as("as without the library, if its listener is switched off")
                    .hasSize(2)
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void findsTheMessageOfTheHandlerOnItsThread() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            Steps steps = Steps.in(scene.results, ResultScene.TEXT);
            scene.consumer(AT_LEAST_ONCE)
                    .consume(PAY, (request, claim) -> steps.ofThread().once("mail", key -> {}));
            assertThat(scene.stored("1")).containsExactly("mail=");
        }
    }

    /** A forgotten message is new: nothing of it was done. */
    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.7")
    void forgetsItsStepsWithAMessage(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            Steps steps = Steps.in(scene.results, ResultScene.TEXT);
            IdempotentConsumer<Request> consumer = scene.consumer(AT_LEAST_ONCE);
            List<String> charges = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                consumer.consume(PAY, steps.handler((request, step) -> step.once("charge", charges::add)));
                consumer.forget("1");
            }
            assertThat(charges).hasSize(2);
        }
    }

    /** It was purged, and its results not yet. */
    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.7")
    void ignoresWhatAnEarlierLifeOfAMessageHasFinished(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            Steps steps = Steps.in(scene.results, ResultScene.TEXT);
            List<String> charges = new ArrayList<>();
            for (int life = 0; life < 2; life++) {
                scene.consumer(AT_LEAST_ONCE)
                        .consume(PAY, steps.handler((request, step) -> step.once("charge", charges::add)));
                scene.effects.update("delete from " + scene.prefix + "message");
            }
            assertThat(charges).as("the same key").hasSize(2);
            assertThat(scene.stored("1")).containsExactly("charge=");
        }
    }

    @Test
    @Tag("rule-12.6")
    void triesAStepAgainThatFailedInTheSameCall() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            MessageSteps step = Steps.in(scene.results, ResultScene.TEXT).of(scene.lease("1", Duration.ofMinutes(1)));
            List<String> keys = new ArrayList<>();
            for (int attempt = 0; attempt < 3; attempt++) {
                boolean isLast = attempt == 2;
                Runnable call = () -> step.once("charge", key -> {
                    keys.add(key);
                    if (!isLast) {
                        throw new IllegalStateException("as planned");
                    }
                });
                if (isLast) {
                    call.run();
                } else {
                    assertThatThrownBy(call::run).hasMessage("as planned");
                }
            }
            assertThat(keys).hasSize(3).containsOnly(keys.get(0));
        }
    }

    @Test
    @Tag("rule-12.6")
    void callsNothingThatCouldNotBeRecorded() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            Steps steps = Steps.in(scene.results, ResultScene.TEXT);
            Claim claim = scene.lease("1", Duration.ofMinutes(1));
            List<String> called = new ArrayList<>();
            MessageSteps step = steps.of(claim);
            assertThatThrownBy(() -> scene.transactions.inTransaction(() -> step.once("charge", called::add)))
                    .hasMessageContaining("outside of transactions");
            assertThatThrownBy(() -> scene.transactions.inTransaction(() -> steps.of(claim)))
                    .hasMessageContaining("outside of transactions");
            assertThatThrownBy(() -> steps.of(claim).once("outer", key -> {
                        steps.of(claim);
                        step.once("inner", called::add);
                        step.once("x", other -> step.once("y", called::add));
                    }))
                    .hasMessageContaining("within step x");
            assertThat(called).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.6")
    void callsNoFinishedStepInAReplay(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            Steps steps = Steps.in(scene.results, ResultScene.TEXT);
            Claim failed = scene.lease("1", Duration.ofMinutes(1));
            steps.of(failed).once("charge", key -> {});
            scene.store.quarantine(failed);
            scene.store.unquarantine(failed.delivery());

            List<String> charges = new ArrayList<>();
            steps.of(scene.lease("1", Duration.ofMinutes(1))).once("charge", charges::add);

            assertThat(charges).isEmpty();
        }
    }
}

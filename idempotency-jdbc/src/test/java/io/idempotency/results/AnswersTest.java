package io.idempotency.results;

import static io.idempotency.ConsistencyLevel.AT_LEAST_ONCE;
import static io.idempotency.ConsistencyLevel.STRONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Outcome;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.results.ResultScene.Request;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.ResultStore;
import io.idempotency.store.StoredResult;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.transaction.support.TransactionSynchronizationManager;

class AnswersTest {

    private static final Request PAY = new Request("1", "pay 10");

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.3")
    void givesADuplicateTheFirstAnswer(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            for (ConsistencyLevel level : List.of(STRONG, AT_LEAST_ONCE)) {
                Request request = new Request(level.name(), "pay 10");
                AnsweringConsumer<Request, String> api = scene.answering(level);

                Answer<String> first = api.answer(request, scene::handle);
                Answer<String> second = api.answer(request, scene::handle);

                assertThat(first.isReplayed()).isFalse();
                assertThat(second).isEqualTo(new Answer<>(first.value(), true));
                assertThat(scene.count(request.id())).isOne();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.1")
    void keepsNoAnswerOfARequestThatFailed(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            AnsweringConsumer<Request, String> api = scene.answering(STRONG);
            assertThatThrownBy(() -> api.answer(PAY, (request, claim) -> {
                        scene.handle(request, claim);
                        scene.results.put(claim, ResultScene.result("step", "of no use"));
                        throw new IllegalStateException("as planned");
                    }))
                    .hasMessage("as planned");
            assertThat(scene.stored("1")).isEmpty();

            assertThat(api.answer(PAY, scene::handle).isReplayed()).isFalse();
            assertThat(scene.count("1")).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.3")
    void refusesAnotherRequestWithTheSameId(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            AnsweringConsumer<Request, String> api = scene.answering(STRONG);
            Answer<String> first = api.answer(PAY, scene::handle);

            assertThatThrownBy(() -> api.answer(new Request("1", "pay 20"), scene::handle))
                    .isInstanceOf(OtherRequestException.class)
                    .hasMessageContaining("api/1");
            assertThat(api.answer(PAY, scene::handle).value()).isEqualTo(first.value());
            assertThat(scene.count("1")).isOne();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POSTGRESQL, STRONG",
        "MARIADB, STRONG",
        "H2, STRONG",
        "POSTGRESQL, AT_LEAST_ONCE",
        "MARIADB, AT_LEAST_ONCE"
    })
    @Tag("rule-12.4")
    void givesManyCallersAtOnceOneAnswer(TestDatabase database, ConsistencyLevel level) throws Exception {
        try (ResultScene scene = new ResultScene(database)) {
            AnsweringConsumer<Request, String> api = scene.answering(level);
            ExecutorService callers = Executors.newFixedThreadPool(6);
            try {
                for (int round = 0; round < 10; round++) {
                    Request request = new Request("r" + round, "pay");
                    List<Callable<String>> calls = IntStream.range(0, 6)
                            .<Callable<String>>mapToObj(i -> () -> untilAnswered(scene, api, request))
                            .toList();
                    List<Future<String>> answers = callers.invokeAll(calls);
                    String one = answers.get(0).get();
                    for (Future<String> each : answers) {
                        assertThat(each.get()).isEqualTo(one);
                    }
                    assertThat(scene.count(request.id())).isOne();
                }
            } finally {
                callers.shutdownNow();
            }
        }
    }

    private static String untilAnswered(ResultScene scene, AnsweringConsumer<Request, String> api, Request request) {
        while (true) {
            try {
                return api.answer(request, scene::handle).value();
            } catch (RequestInProgressException | TransientStoreException later) {
                Thread.onSpinWait();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POSTGRESQL, STRONG",
        "MARIADB, STRONG",
        "H2, STRONG",
        "POSTGRESQL, AT_LEAST_ONCE",
        "HSQLDB, AT_LEAST_ONCE"
    })
    @Tag("rule-12.4")
    void saysThatARequestIsBeingHandled(TestDatabase database, ConsistencyLevel level) throws Exception {
        try (ResultScene scene = new ResultScene(database)) {
            AnsweringConsumer<Request, String> api = scene.answering(level);
            CountDownLatch isInHandler = new CountDownLatch(1);
            CountDownLatch mayGoOn = new CountDownLatch(1);
            CompletableFuture<Answer<String>> first =
                    CompletableFuture.supplyAsync(() -> api.answer(PAY, (request, claim) -> {
                        isInHandler.countDown();
                        mayGoOn.await();
                        return scene.handle(request, claim);
                    }));
            isInHandler.await();

            assertThatThrownBy(() -> api.answer(PAY, scene::handle)).isInstanceOf(RequestInProgressException.class);

            mayGoOn.countDown();
            Answer<String> answered = first.get();
            assertThat(api.answer(PAY, scene::handle)).isEqualTo(new Answer<>(answered.value(), true));
            assertThat(scene.count("1")).isOne();
        }
    }

    /** Its lease was not completed: the process had died. */
    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.5")
    void callsNoHandlerIfAnEarlierAttemptHasAnswered(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            Claim dead = scene.lease("1", Duration.ofMinutes(1));
            scene.results.put(dead, ResultScene.result(AnsweringConsumer.NAME, "earlier"));
            scene.passTime(Duration.ofMinutes(2));

            Answer<String> answer = scene.answering(AT_LEAST_ONCE).answer(PAY, scene::handle);

            assertThat(answer).isEqualTo(new Answer<>("earlier", true));
            assertThat(scene.count("1")).isZero();
            assertThat(scene.store.find(ResultScene.id("1"))).isPresent();
        }
    }

    @Test
    void saysWhyThereIsNoAnswer() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            scene.consumer(STRONG).consume(PAY, scene::handle);

            assertThatThrownBy(() -> scene.answering(STRONG).answer(PAY, scene::handle))
                    .isInstanceOfSatisfying(
                            NoAnswerException.class,
                            none -> assertThat(none.outcome()).isEqualTo(Outcome.DUPLICATE))
                    .hasMessageContaining("api/1")
                    .hasMessageContaining("forget");
            assertThat(scene.count("1")).isOne();
        }
    }

    @Test
    void refusesAnAnswerThatCannotBeStoredAndTheEffectWithIt() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            AnsweringConsumer<Request, String> small = AnsweringConsumer.of(
                    scene.consumer(STRONG), scene.results.mostBytes(3), ResultScene.TEXT, String.class);

            assertThatThrownBy(() -> small.answer(PAY, scene::handle))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("too large")
                    .hasMessageContaining("mostBytes");
            assertThatThrownBy(() -> scene.answering(STRONG).answer(PAY, (request, claim) -> nothing()))
                    .hasMessageContaining("returned null");
            assertThat(scene.count("1")).isZero();
        }
    }

    /** The first caller would otherwise get an answer that no duplicate gets, and all of them errors. */
    @Test
    @Tag("rule-12.1")
    void refusesAnAnswerThatCannotBeReadAndTheEffectWithIt() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            ResultCodec unreadable = new ResultCodec() {
                @Override
                public byte[] toBytes(Object value) throws Exception {
                    return ResultScene.TEXT.toBytes(value);
                }

                @Override
                public <T> T fromBytes(byte[] content, Class<T> type) {
                    throw new IllegalArgumentException("no constructor");
                }
            };
            AnsweringConsumer<Request, String> api =
                    AnsweringConsumer.of(scene.consumer(STRONG), scene.results, unreadable, String.class);

            assertThatThrownBy(() -> api.answer(PAY, scene::handle))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("cannot be read as java.lang.String")
                    .hasRootCauseMessage("no constructor");
            assertThat(scene.count("1")).isZero();
            assertThat(scene.stored("1")).isEmpty();
        }
    }

    /** The transaction has the connection that a framework, such as JPA's open-in-view, holds for the thread. Another one may be missing. */
    @Test
    @Tag("rule-12.1")
    void readsAnAnswerInATransaction() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            scene.answering(STRONG).answer(PAY, scene::handle);
            List<Boolean> active = new ArrayList<>();
            AnsweringConsumer<Request, String> api = AnsweringConsumer.of(
                    scene.consumer(STRONG),
                    new ResultStore() {
                        @Override
                        public void put(Claim claim, StoredResult result) {
                            scene.results.put(claim, result);
                        }

                        @Override
                        public void requirePuttable(Claim claim) {
                            scene.results.requirePuttable(claim);
                        }

                        @Override
                        public void clear(Claim lease) {
                            scene.results.clear(lease);
                        }

                        @Override
                        public List<StoredResult> find(MessageId id) {
                            active.add(TransactionSynchronizationManager.isActualTransactionActive());
                            return scene.results.find(id);
                        }
                    },
                    ResultScene.TEXT,
                    String.class);

            assertThat(api.answer(PAY, scene::handle).isReplayed()).isTrue();
            assertThat(active).isNotEmpty().doesNotContain(false);
        }
    }

    @SuppressWarnings("NullAway") // as a handler that is not checked returns it
    private static String nothing() {
        return null;
    }

    @Test
    void refusesLevelsThatRememberTooLittle() {
        try (ResultScene scene = new ResultScene(TestDatabase.H2)) {
            assertThatThrownBy(() -> scene.answering(ConsistencyLevel.AT_MOST_ONCE))
                    .hasMessageContaining("AT_MOST_ONCE");
            assertThatThrownBy(() -> scene.answering(ConsistencyLevel.NONE)).hasMessageContaining("NONE");
        }
    }

    /** The answer is there if the transaction of the caller commits. */
    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.1")
    void joinsATransactionOfTheCaller(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            AnsweringConsumer<Request, String> api = scene.answering(STRONG);
            assertThatThrownBy(() -> scene.transactions.inTransaction(() -> {
                        Answer<String> answer = api.answer(PAY, scene::handle);
                        assertThat(api.answer(PAY, scene::handle)).isEqualTo(new Answer<>(answer.value(), true));
                        throw new IllegalStateException("as planned");
                    }))
                    .hasMessage("as planned");
            assertThat(scene.stored("1")).isEmpty();

            scene.transactions.inTransaction(() -> api.answer(PAY, scene::handle));
            assertThat(api.answer(PAY, scene::handle).isReplayed()).isTrue();
            assertThat(scene.count("1")).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.7")
    void livesAsLongAsItsMessage(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            AnsweringConsumer<Request, String> api = scene.answering(STRONG);
            Answer<String> first = api.answer(PAY, scene::handle);
            purge(scene);
            scene.passTime(Duration.ofMinutes(50));
            purge(scene);
            assertThat(api.answer(PAY, scene::handle).value()).isEqualTo(first.value());

            scene.passTime(Duration.ofMinutes(20));
            assertThat(scene.results.purge()).as("while its message is there").isZero();
            purge(scene);

            assertThat(scene.stored("1")).isEmpty();
            assertThat(api.answer(PAY, scene::handle).isReplayed()).isFalse();
            assertThat(scene.count("1")).isEqualTo(2);
        }
    }

    private static void purge(ResultScene scene) {
        try (Purger purger = Purger.of(scene.store)
                .retention(Duration.ofHours(1))
                .afterwards(scene.results::purge)
                .build()) {
            purger.runOnce();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.7")
    void isForgottenWithItsMessage(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            AnsweringConsumer<Request, String> api = scene.answering(STRONG);
            Answer<String> first = api.answer(PAY, scene::handle);

            assertThat(scene.consumer(STRONG).forget("1")).isTrue();

            assertThat(scene.stored("1")).isEmpty();
            assertThat(api.answer(PAY, scene::handle).value()).isNotEqualTo(first.value());
        }
    }

    /** A handler that commits early and fails leaves its answer behind, and the next run replaces it. */
    @Test
    @Tag("rule-12.1")
    void replacesWhatAnEarlyCommitHasLeft() {
        try (ResultScene scene = new ResultScene(TestDatabase.POSTGRESQL)) {
            scene.transactions.inTransaction(() -> {
                Claim claim = scene.store
                        .claim(List.of(new Delivery(ResultScene.id("2"), Position.UNKNOWN)))
                        .get(0);
                scene.results.put(claim, ResultScene.result(AnsweringConsumer.NAME, "left"));
                scene.results.put(claim, ResultScene.result(AnsweringConsumer.NAME, "replaced"));
            });
            assertThat(scene.stored("2")).containsExactly("$answer=replaced");
        }
    }

    /** An update that finds no row locks a gap there, in which others want to insert. */
    @Test
    void answersOfDifferentRequestsDoNotLockEachOther() throws Exception {
        try (ResultScene scene = new ResultScene(TestDatabase.MARIADB)) {
            AnsweringConsumer<Request, String> api = scene.answering(STRONG);
            api.answer(PAY, scene::handle);
            ExecutorService callers = Executors.newFixedThreadPool(8);
            try {
                List<Callable<Answer<String>>> calls = IntStream.range(0, 400)
                        .<Callable<Answer<String>>>mapToObj(
                                i -> () -> api.answer(new Request("r" + i, "pay"), scene::handle))
                        .toList();
                for (Future<Answer<String>> each : callers.invokeAll(calls)) {
                    assertThat(each.get().isReplayed()).isFalse();
                }
            } finally {
                callers.shutdownNow();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB"})
    @Tag("rule-12.7")
    void thePurgeLeavesAnAnswerThatReplacesAnOldOneMeanwhile(TestDatabase database) throws Exception {
        try (ResultScene scene = new ResultScene(database)) {
            AnsweringConsumer<Request, String> api = scene.answering(STRONG);
            api.answer(PAY, scene::handle);
            purge(scene);
            scene.passTime(Duration.ofHours(2));
            scene.effects.update("delete from " + scene.prefix + "message");
            CompletableFuture<Integer> purging = new CompletableFuture<>();
            scene.transactions.inTransaction(() -> {
                api.answer(PAY, scene::handle);
                new Thread(() -> purging.complete(scene.results.purge())).start();
                assertThatThrownBy(() -> purging.get(1, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
            });
            purging.get();

            assertThat(api.answer(PAY, scene::handle).isReplayed()).isTrue();
        }
    }

    /** It was purged, and its answer not yet. */
    @ParameterizedTest
    @EnumSource
    @Tag("rule-12.7")
    void ignoresTheAnswerToAnEarlierLifeOfAMessage(TestDatabase database) {
        try (ResultScene scene = new ResultScene(database)) {
            for (ConsistencyLevel level : List.of(STRONG, AT_LEAST_ONCE)) {
                AnsweringConsumer<Request, String> api = scene.answering(level);
                Answer<String> first = api.answer(new Request(level.name(), "pay 10"), scene::handle);
                scene.effects.update("delete from " + scene.prefix + "message");
                Answer<String> second = api.answer(new Request(level.name(), "pay 20"), scene::handle);
                assertThat(second.isReplayed()).isFalse();
                assertThat(second.value()).isNotEqualTo(first.value());
            }
        }
    }
}

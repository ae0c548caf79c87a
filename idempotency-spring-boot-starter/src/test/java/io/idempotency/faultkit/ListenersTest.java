package io.idempotency.faultkit;

import static io.idempotency.faultkit.Runs.AGAIN;
import static io.idempotency.faultkit.Runs.ANSWER_LOST;
import static io.idempotency.faultkit.Runs.COMMIT_FAILS;
import static io.idempotency.faultkit.Runs.DIES_AFTER_EFFECT;
import static io.idempotency.faultkit.Runs.DIES_AFTER_OFFSET_COMMIT;
import static io.idempotency.faultkit.Runs.DIES_BEFORE_COMMIT;
import static io.idempotency.faultkit.Runs.DIES_BEFORE_EFFECT;
import static io.idempotency.faultkit.Runs.DIES_BEFORE_OFFSET_COMMIT;
import static io.idempotency.faultkit.Runs.STATEMENT_FAILS;
import static io.idempotency.faultkit.Runs.UNDISTURBED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.spring.TestServers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The kit on listeners of an application, with a real broker, on H2 and PostgreSQL. */
class ListenersTest {

    static class OnH2 extends ListenerUsers {

        @DynamicPropertySource
        static void database(DynamicPropertyRegistry properties) {
            properties.add("spring.datasource.url", () -> "jdbc:h2:mem:shop;DB_CLOSE_DELAY=-1");
        }
    }

    static class OnPostgres extends ListenerUsers {

        private static final String URL = TestServers.database();

        @DynamicPropertySource
        static void database(DynamicPropertyRegistry properties) {
            properties.add("spring.datasource.url", () -> URL);
        }
    }

    /** The library refuses a listener at the start. */
    @SpringBootTest(
            classes = {Shop.class, RefusedListener.class},
            properties = "spring.datasource.url=jdbc:h2:mem:refused;DB_CLOSE_DELAY=-1")
    static class Refused extends ListenerUsers {}

    private static TestRun run(String test) {
        return TestRun.of(OnH2.class, test);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc", "jpa", "batch", "upsert", "methods"})
    void passesRightListeners(String listener) {
        TestRun run = run(listener);

        assertThat(run.failures()).isEmpty();
        assertThat(run.notes()).isEmpty();
        assertThat(run.names())
                .contains(UNDISTURBED, AGAIN, DIES_BEFORE_EFFECT, DIES_AFTER_EFFECT, DIES_BEFORE_OFFSET_COMMIT);
    }

    /** The method of such a listener is not seen, only its commits. */
    @ParameterizedTest
    @ValueSource(strings = {"bound", "catching"})
    void passesListenersWithoutAnnotations(String listener) {
        TestRun run = run(listener);

        assertThat(run.failures()).isEmpty();
        assertThat(run.names()).contains(DIES_BEFORE_COMMIT, DIES_BEFORE_OFFSET_COMMIT, STATEMENT_FAILS);
    }

    @Test
    void passesAnEffectThatRepeatsUnderALease() {
        TestRun run = run("leased");

        assertThat(run.failures()).isEmpty();
        // The lease, the listener's own transaction, and the completion.
        assertThat(run.names()).contains(COMMIT_FAILS + " (3 of 3)", ANSWER_LOST + " (3 of 3)");
    }

    @Test
    void findsAnEffectOutsideTheTransaction() {
        assertThat(run("outside").failures())
                .containsOnlyKeys(DIES_AFTER_EFFECT, COMMIT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .containsPattern(
                                "Message [0-9a-f-]+ \\(outside-\\d@\\d+\\) had 2 effects instead of 1. At its first delivery the "
                                        + fault.substring(4, 10))
                        .containsPattern("delivery 1, outside-\\d@\\d+: the handler was called; the ")
                        .contains("A statement committed by itself", "BrokenListeners.java:"));
    }

    @Test
    void findsATransactionOfItsOwn() {
        assertThat(run("requiresNew").failures())
                .containsOnlyKeys(DIES_AFTER_EFFECT, COMMIT_FAILS + " (2 of 2)", ANSWER_LOST + " (1 of 2)")
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "had 2 effects instead of 1",
                                "The handler committed a transaction of its own: BrokenListeners.java:"));
    }

    @Test
    void findsTheBrokenMessageOfABatch() {
        assertThat(run("brokenBatch").failures().get(DIES_AFTER_EFFECT))
                .startsWith("The messages ")
                .containsPattern(
                        " had 2 of order 0 [0-9a-f-]+, 1 of order 1 [0-9a-f-]+, 1 of order 2 [0-9a-f-]+ effects instead of 1, 1, 1\\.")
                .contains("The handler committed a transaction of its own: BrokenListeners.java:")
                .doesNotContain("different ids");
    }

    @Test
    void findsAnIdThatIsTheOffset() {
        assertThat(run("offsetId").failure())
                .contains(
                        "had 2 effects instead of 1",
                        "nothing failed",
                        "The copies of one message have different ids",
                        "take the id from the message, not from its position");
    }

    @Test
    void findsASwallowedException() {
        assertThat(run("swallows").failures())
                .containsOnlyKeys(STATEMENT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "lost the effect: 0 instead of 1",
                                "a statement failed by a lock timeout at Shop.java:",
                                "it swallowed the exception"));
    }

    @Test
    void findsACacheThatIsFilledBeforeTheCommit() {
        assertThat(run("caches").failures())
                .containsOnlyKeys(DIES_AFTER_EFFECT, STATEMENT_FAILS, COMMIT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "lost the effect: 0 instead of 1",
                                "a set or cache in memory that is filled before the commit"));
    }

    @Test
    void findsALostEffectThatACopyWouldMakeUpFor() {
        assertThat(run("givesUp").failures())
                .containsOnlyKeys(STATEMENT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains("lost the effect: 0 instead of 1, although it is settled: nobody delivers it again"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"logs", "recovers"})
    void findsAnErrorHandlerThatGivesUp(String listener) {
        assertThat(run(listener).failures())
                .containsOnlyKeys(STATEMENT_FAILS)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "lost the effect: 0 instead of 1, although it is settled: nobody delivers it again",
                                "an error handler gives up"));
    }

    @Test
    void findsAnAcknowledgmentBeforeTheEffect() {
        assertThat(run("acknowledgesEarly").failures())
                .containsOnlyKeys(DIES_AFTER_OFFSET_COMMIT)
                .allSatisfy((fault, failure) -> assertThat(failure)
                        .contains(
                                "lost the effect: 0 instead of 1, although it is settled: nobody delivers it again",
                                "The offset is committed before the work is done"));
    }

    /** They go on being delivered. */
    @Test
    void tellsNothingOfMessagesOfEarlierTestsThatAreNotSettled() {
        try {
            assertThat(run("stuck").failure()).contains("was not settled within 1 s", "nobody has mended it");

            assertThat(run("offsetId").failure())
                    .contains("The copies of one message have different ids")
                    .containsPattern(
                            "(?s)nothing failed\\.\n.*delivery 1, offset-id-\\d@\\d+: the handler was called; PROCESSED\n")
                    .doesNotContain(BrokenContainers.STUCK, "nobody has mended it");
        } finally {
            BrokenContainers.MENDED.set(true);
        }
    }

    @Test
    void findsAListenerThatDoesNothing() {
        assertThat(run("idle").failure())
                .contains("had no effect, although nothing failed", "Either the handler does nothing, or effects(..)");
    }

    @Test
    void saysWhatIsWrongWithATest() {
        assertThat(run("unknownTopic").failure())
                .contains("No listener of the application gets messages of [nobody-listens]. There are: ", "[jdbc]");
        assertThat(run("unknownListener").failure()).contains("No listener has the id nobody. There are: ");
        assertThat(run("unknownTable").failure())
                .contains("The query of the effects failed: select count(*) from nothing");
        assertThat(run("noNumber").failure()).contains("returns 'many' where a number is expected");
        assertThat(run("notSerializable").failure()).contains("cannot send the message", "StringSerializer");
        assertThat(run("inATransaction").failure()).contains("Remove @Transactional from the test");
    }

    @Test
    void saysWhatTheLibraryRefuses() {
        for (String test : new String[] {"jdbc", "jpa"}) {
            assertThat(TestRun.of(Refused.class, test).failure())
                    .contains(
                            "The application does not start",
                            "the library refuses a listener",
                            "@Transactional with a propagation that leaves the transaction of its claim",
                            "Use REQUIRED");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc", "jpa"})
    void passesRightListenersOnPostgres(String listener) {
        TestRun run = TestRun.of(OnPostgres.class, listener);

        assertThat(run.failures()).isEmpty();
        assertThat(run.names()).contains(DIES_AFTER_EFFECT);
    }

    @Test
    void findsBrokenListenersOnPostgres() {
        assertThat(TestRun.of(OnPostgres.class, "outside").failures())
                .containsOnlyKeys(DIES_AFTER_EFFECT, COMMIT_FAILS);
    }

    /** Spring stops the containers of an application while the tests of another one run, and starts them again. */
    @Test
    void testsAnApplicationAgainAfterAnotherOne() {
        for (Class<?> application : List.of(OnH2.class, OnPostgres.class, OnH2.class)) {
            assertThat(TestRun.of(application, "offsetId").failure()).contains("different ids");
        }
    }

    /** PostgreSQL does not commit after a failed statement, and the library notices. */
    @Test
    void saysThatTheLibraryMadeUpForASwallowedException() {
        TestRun run = TestRun.of(OnPostgres.class, "swallows");

        assertThat(run.failures()).isEmpty();
        assertThat(run.notes())
                .singleElement()
                .asString()
                .contains("The handler swallowed the exception of a statement", "the message was delivered again");
    }
}

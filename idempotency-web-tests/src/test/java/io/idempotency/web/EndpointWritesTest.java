package io.idempotency.web;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.web.EndpointBench.Answer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What a caller with permission changes, and what is refused all the same. */
class EndpointWritesTest {

    private static final String REASON = "INC-42";

    private static EndpointBench bench;

    /** Of each test its own; no instance of it runs, so nobody works on its replays. */
    private final String consumer = "c-" + UUID.randomUUID();

    @BeforeAll
    static void start() {
        bench = EndpointBench.writing();
    }

    @AfterAll
    static void stop() {
        bench.close();
    }

    private Answer post(String act, Object... namesAndValues) {
        return bench.post(act, body(namesAndValues));
    }

    private Map<String, Object> body(Object... namesAndValues) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("consumer", consumer);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            body.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return body;
    }

    private JsonNode lastAct() {
        return bench.get("audit", "consumer", consumer, "limit", "1")
                .body()
                .path("acts")
                .get(0);
    }

    @Test
    void replaysAMessageInARunningInstance() {
        EndpointApplication.POISON.add("poison");
        bench.send(0, "P-1", "poison");
        bench.awaitSettled();
        EndpointApplication.POISON.remove("poison");

        Answer asked = bench.post("replay", Map.of("consumer", "billing", "id", "P-1", "reason", REASON));

        assertThat(asked.status()).isEqualTo(202);
        assertThat(asked.body().path("total").asLong()).isEqualTo(1);
        assertThat(asked.text("actor")).isEqualTo("ada");
        assertThat(asked.text("reason")).isEqualTo(REASON);
        String replay = asked.text("id");
        Awaitility.await()
                .until(() ->
                        bench.get("replay", "replay", replay).text("status").equals("DONE"));
        assertThat(bench.get("replay", "replay", replay)
                        .body()
                        .path("processed")
                        .asLong())
                .isEqualTo(1);
        assertThat(bench.get("quarantine", "consumer", "billing").body().path("messages"))
                .isEmpty();
    }

    @Test
    void saysWhatAReplayWouldDo() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 1), Quarantined.of(consumer, "A-2", 2));

        Answer plan = post("replay", "failureType", "java.sql.SQLException", "limit", 1, "dryRun", true);

        assertThat(plan.status()).isEqualTo(200);
        assertThat(plan.body().propertyNames())
                .containsExactly(
                        "total",
                        "inOtherReplays",
                        "withoutBytes",
                        "alreadyProcessed",
                        "byFailureType",
                        "byPartition",
                        "oldest",
                        "dryRun");
        assertThat(plan.body().path("total").asLong()).isEqualTo(1);
        assertThat(plan.body().path("byFailureType").toString()).isEqualTo("{\"java.sql.SQLException\":1}");
        assertThat(bench.get("replays", "consumer", consumer).body().path("replays"))
                .isEmpty();
    }

    @Test
    void pausesResumesAndStopsAReplay() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 1));
        Answer asked = post("replay", "perSecond", 50, "stopAfter", "3", "mayRepeat", true, "reason", REASON);
        String id = asked.text("id");
        assertThat(asked.text("status")).isEqualTo("RUNNING");
        assertThat(asked.body().path("perSecond").asInt()).isEqualTo(50);

        assertThat(post("resume", "replay", id, "reason", REASON).status()).isEqualTo(409);
        assertThat(post("pause", "replay", id, "reason", REASON).text("status")).isEqualTo("PAUSED");
        Answer again = post("pause", "replay", id, "reason", REASON);
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.text("error")).startsWith("This needs a replay that is RUNNING. Replay " + id);
        assertThat(post("resume", "replay", id, "reason", REASON).text("status"))
                .isEqualTo("RUNNING");
        Answer stopped = post("stop", "replay", id, "reason", REASON);
        assertThat(stopped.text("status")).isEqualTo("STOPPED");
        assertThat(stopped.text("stoppedBy")).isEqualTo(REASON);
        assertThat(post("stop", "replay", id, "reason", REASON).status()).isEqualTo(409);
        assertThat(lastAct().path("verb").asString()).isEqualTo("replay-stop");
        assertThat(bench.get("replays", "consumer", consumer).body().path("replays"))
                .hasSize(1);
    }

    @Test
    void refusesWhatBelongsToARunningReplay() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 1));
        String id = post("replay", "reason", REASON).text("id");

        Answer again = post("replay", "reason", REASON);
        Answer dropped = post("drop", "id", "A-1", "reason", REASON);
        Answer forgotten = post("forget", "id", "A-1", "reason", REASON);

        assertThat(again.status()).isEqualTo(409);
        assertThat(again.text("error")).contains("belong to running replays").contains(id);
        assertThat(dropped.status()).isEqualTo(409);
        assertThat(dropped.text("error")).contains("belongs to the replay " + id);
        assertThat(forgotten.status()).isEqualTo(409);
        assertThat(forgotten.text("error")).contains("is in quarantine, so it is not forgotten");
    }

    @Test
    void dropsOneMessageOrTheOldOnes() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 1), Quarantined.of(consumer, "A-2", 2));

        assertThat(post("drop", "id", "A-1", "dryRun", true).body().toString())
                .isEqualTo("{\"consumer\":\"" + consumer + "\",\"messages\":1,\"dryRun\":true}");
        assertThat(post("drop", "id", "A-1", "reason", REASON).body().toString())
                .isEqualTo("{\"consumer\":\"" + consumer + "\",\"messages\":1,\"dryRun\":false}");
        JsonNode act = lastAct();
        assertThat(act.path("actor").asString()).isEqualTo("ada");
        assertThat(act.path("origin").asString()).isEqualTo("endpoint");
        assertThat(act.path("verb").asString()).isEqualTo("drop");
        assertThat(act.path("subject").asString()).isEqualTo("A-1");
        assertThat(act.path("reason").asString()).isEqualTo(REASON);

        Answer counted = post("drop", "olderThan", "2099-01-01T00:00:00Z", "dryRun", true);
        Answer dropped = post("drop", "olderThan", "2099-01-01T00:00:00Z", "reason", REASON);
        assertThat(counted.body().path("messages").asLong()).isEqualTo(1);
        assertThat(dropped.body().path("messages").asLong()).isEqualTo(1);
        assertThat(bench.get("quarantine", "consumer", consumer).body().path("messages"))
                .isEmpty();
        assertThat(post("drop", "id", "A-1", "reason", REASON).status()).isEqualTo(409);
    }

    @Test
    void forgetsWhatWasProcessed() {
        bench.send(1, "F-1", "forgotten");
        bench.send(1, "F-2", "forgotten");
        bench.awaitSettled();
        Map<String, Object> one = new HashMap<>(Map.of("consumer", "billing", "id", "F-1", "dryRun", true));

        assertThat(bench.post("forget", one).body().toString())
                .isEqualTo("{\"consumer\":\"billing\",\"messages\":1,\"quarantined\":0,\"dryRun\":true}");
        one.put("dryRun", false);
        one.put("reason", REASON);
        assertThat(bench.post("forget", one).body().path("messages").asLong()).isEqualTo(1);
        assertThat(bench.post("forget", one).body().path("messages").asLong()).isZero();

        Map<String, Object> range = new HashMap<>(Map.of(
                "consumer", "billing", "topic", bench.topic, "partition", 1, "firstOffset", 0, "lastOffset", 99));
        range.put("dryRun", true);
        assertThat(bench.post("forget", range).body().path("messages").asLong()).isEqualTo(1);
        range.put("dryRun", false);
        range.put("reason", REASON);
        assertThat(bench.post("forget", range).body().path("messages").asLong()).isEqualTo(1);
        assertThat(bench.post(
                                "forget",
                                Map.of(
                                        "consumer", "billing",
                                        "from", "2020-01-01T00:00:00Z",
                                        "to", "2020-01-02T00:00:00Z",
                                        "dryRun", true))
                        .body()
                        .path("messages")
                        .asLong())
                .isZero();
    }

    @Test
    void purges() {
        assertThat(bench.post("purge", Map.of("dryRun", "perhaps")).text("error"))
                .startsWith("The parameter dryRun must be true or false");
        assertThat(bench.post("purge", Map.of("consumer", consumer)).text("error"))
                .as("a purge is of all consumers")
                .startsWith("The act purge has no parameter consumer");
        assertThat(bench.post("purge", Map.of("dryRun", true)).body().toString())
                .isEqualTo("{\"messages\":0,\"dryRun\":true}");
        assertThat(bench.post("purge", Map.of()).body().toString()).isEqualTo("{\"messages\":0,\"dryRun\":false}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/b/../c;d=e", "\"'`\\", "<script>alert(1)</script>", "x\u202Eyz", "日本-\uD83D\uDE00"})
    void changesAMessageWithAnyId(String id) {
        bench.quarantine(Quarantined.of(consumer, id, 7));

        assertThat(post("drop", "id", id, "reason", id).status()).isEqualTo(200);

        assertThat(lastAct().path("subject").asString()).isEqualTo(id);
        assertThat(lastAct().path("reason").asString()).isEqualTo(id);
    }

    @Test
    void changesAMessageWithALongId() {
        String id = "/".repeat(4096);
        bench.quarantine(Quarantined.of(consumer, id, 7));

        assertThat(post("replay", "id", id, "dryRun", true).body().path("total").asLong())
                .isEqualTo(1);
        assertThat(post("drop", "id", id, "reason", REASON).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            replay  |                                         | 400 | The parameter reason is missing
            replay  | limit=0;reason=r                        | 400 | The parameter limit must be a number from 1
            replay  | perSecond=-1;reason=r                   | 400 | The parameter perSecond must be a number from 1
            replay  | mayRepeat=maybe;reason=r                | 400 | The parameter mayRepeat must be true or false
            replay  | failureType=other.Failure;reason=r      | 409 | There is nothing to replay
            replay  | reason=                                 | 400 | The parameter reason is empty
            replay  | reason= ;                               | 400 | Say why, in 1 to 1000 characters
            drop    | id=A-1                                  | 400 | The parameter reason is missing
            drop    | reason=r                                | 400 | Give an id, or olderThan
            drop    | id=A-1;olderThan=2099-01-01T00:00:00Z   | 400 | Give an id, or olderThan
            drop    | olderThan=yesterday;reason=r            | 400 | The parameter olderThan must be a moment
            forget  | id=A-1                                  | 400 | The parameter reason is missing
            forget  | reason=r                                | 400 | Give an id, or topic, partition
            forget  | topic=orders;reason=r                   | 400 | The parameter partition is missing
            forget  | from=2020-01-01T00:00:00Z;reason=r      | 400 | The parameter to is missing
            forget  | from=2020-01-02T00:00:00Z;to=2020-01-01T00:00:00Z;reason=r | 400 | There is no time from
            pause   | reason=r                                | 400 | The parameter replay is missing
            pause   | replay=none                             | 400 | The parameter reason is missing
            pause   | replay=none;reason=r                    | 404 | There is no replay none
            why     | id=A-1                                  | 404 | There is no act why: there are replay, pause
            """)
    void refusesABadRequestWithASentence(String act, @Nullable String body, int status, String sentence) {
        bench.quarantine(Quarantined.of(consumer, "A-1", 1));

        Answer refused = post(act, EndpointBench.values(body).toArray());

        assertThat(refused.status()).isEqualTo(status);
        assertThat(refused.text("error")).startsWith(sentence);
        assertThat(refused.body().propertyNames()).containsExactly("error");
        assertThat(bench.get("audit", "consumer", consumer).body().path("acts")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"replay", "drop", "forget"})
    void refusesAnUnknownConsumer(String act) {
        Answer refused = post(act, "id", "A-1", "reason", REASON);

        assertThat(refused.status()).isEqualTo(404);
        assertThat(refused.text("error")).startsWith("Nothing is remembered of a consumer " + consumer);
    }

    /** Actuator ignores what it does not know. Then a mistyped condition would choose all messages. */
    @Test
    void anUnknownParameterIsRefusedAndNothingIsDone() {
        bench.quarantine(Quarantined.of(consumer, "1", 7));

        for (String wrong : List.of("failuretype", "dryrun", "Consumer")) {
            Answer refused = bench.post("replay", Map.of("consumer", consumer, wrong, "true", "reason", "INC-42"));
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.text("error")).startsWith("There is no parameter " + wrong + ": ");
        }
        Answer empty = bench.post("replay", Map.of("consumer", consumer, "id", "", "reason", "INC-42"));
        assertThat(empty.status()).isEqualTo(400);
        assertThat(empty.text("error")).startsWith("The parameter id is empty");
        Answer tooMuch = bench.post(
                "drop",
                Map.of(
                        "consumer",
                        consumer,
                        "olderThan",
                        "2100-01-01T00:00:00Z",
                        "failureType",
                        "X",
                        "reason",
                        "INC-42"));
        assertThat(tooMuch.status()).isEqualTo(400);
        assertThat(tooMuch.text("error")).startsWith("The act drop has no parameter failureType: it has consumer, id");

        assertThat(bench.get("message", "consumer", consumer, "id", "1").status())
                .isEqualTo(200);
        assertThat(bench.get("replays", "consumer", consumer).body().path("replays"))
                .isEmpty();
    }
}

package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Operations;
import io.idempotency.store.MessageId;
import io.idempotency.web.EndpointBench.Answer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What the endpoint shows, to everybody who may read it. */
class EndpointReadsTest {

    private static EndpointBench bench;

    /** Of each test its own. */
    private final String consumer = "c-" + UUID.randomUUID();

    @BeforeAll
    static void start() {
        bench = EndpointBench.start();
    }

    @AfterAll
    static void stop() {
        bench.close();
    }

    private static JsonNode consumer(String name) {
        for (JsonNode each : bench.get("").body().path("consumers")) {
            if (each.path("consumer").asString().equals(name)) {
                return each;
            }
        }
        throw new AssertionError("No consumer " + name);
    }

    @Test
    void showsAConsumerOfThisInstanceWithItsCounts() {
        bench.send(0, "1", "one");
        bench.send(0, "1", "one");
        EndpointApplication.POISON.add("two");
        bench.send(0, "2", "two");
        bench.awaitSettled();

        JsonNode billing = consumer("billing");

        assertThat(billing.path("level").asString()).isEqualTo("STRONG");
        assertThat(billing.path("store").asString()).isEqualTo("table");
        assertThat(billing.path("running").asBoolean()).isTrue();
        assertThat(billing.path("transactionPer").asString()).isEqualTo("record");
        assertThat(billing.path("quarantined").asLong()).isEqualTo(1);
        assertThat(Instant.parse(billing.path("oldestQuarantined").asString()))
                .isBefore(Instant.now().plusSeconds(60));
        JsonNode counts = billing.path("counts");
        assertThat(counts.path("processed").asLong()).isEqualTo(1);
        assertThat(counts.path("quarantined").asLong()).isEqualTo(1);
        assertThat(counts.path("duplicates").toString()).isEqualTo("{\"redelivery\":0,\"resend\":1,\"unknown\":0}");
        assertThat(billing.path("duplicateAge").path("max").asString()).startsWith("PT");
        assertThat(billing.path("standstills").isEmpty()).isTrue();
        assertThat(bench.get("").text("instance")).startsWith("billing-service ");
    }

    @Test
    void showsAConsumerOfAnotherInstanceWithoutCounts() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 1));

        JsonNode other = consumer(consumer);

        assertThat(other.path("running").asBoolean()).isFalse();
        assertThat(other.path("level").isNull()).isTrue();
        assertThat(other.path("counts").isNull()).isTrue();
        assertThat(other.path("duplicateAge").isNull()).isTrue();
        assertThat(other.path("store").asString()).isEqualTo("table");
        assertThat(other.path("quarantined").asLong()).isEqualTo(1);
    }

    @Test
    void saysWhy() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 18272));

        for (String id : List.of("A-1", "orders-3@18272")) {
            JsonNode why = bench.get("why", "consumer", consumer, "id", id)
                    .body()
                    .path("messages")
                    .get(0);
            assertThat(why.path("id").asString()).isEqualTo("A-1");
            assertThat(why.path("status").asString()).isEqualTo("QUARANTINED");
            assertThat(why.path("failureType").asString()).isEqualTo("java.sql.SQLException");
            assertThat(why.path("attempts").asInt()).isEqualTo(10);
            assertThat(why.path("sentence").asString()).startsWith("Message A-1 of " + consumer + " is in quarantine");
            assertThat(why.path("rememberedUntil").isNull()).isTrue();
        }
        Answer unknown = bench.get("why", "consumer", consumer, "id", "A-2");
        assertThat(unknown.status()).isEqualTo(200);
        assertThat(EndpointBench.texts(unknown.body().path("messages"), "status"))
                .containsExactly("UNKNOWN");
    }

    @Test
    void groupsByFailure() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 1), Quarantined.of(consumer, "A-2", 2));
        bench.quarantine(Quarantined.of(consumer, "A-3", 3).failure("java.lang.IllegalStateException"));

        JsonNode groups = bench.get("groups", "consumer", consumer).body().path("groups");

        assertThat(EndpointBench.texts(groups, "group")).containsExactly("g-21", "g-31");
        JsonNode first = groups.get(0);
        assertThat(first.path("messages").asLong()).isEqualTo(2);
        assertThat(first.path("failureTypes").toString()).isEqualTo("[\"java.sql.SQLException\"]");
        assertThat(first.path("lastHour").asLong()).isEqualTo(2);
        assertThat(first.path("lastDay").asLong()).isEqualTo(2);
        assertThat(first.path("hours")).hasSize(24);
        assertThat(first.path("hours").get(23).asLong()).isEqualTo(2);
        assertThat(first.path("newest").asString())
                .isGreaterThanOrEqualTo(first.path("oldest").asString());
        assertThat(bench.get("groups", "consumer", consumer, "to", "2020-01-01T00:00:00Z")
                        .body()
                        .path("groups"))
                .isEmpty();
    }

    @Test
    void pagesThroughTheQuarantine() {
        for (int offset = 0; offset < 5; offset++) {
            bench.quarantine(Quarantined.of(consumer, "A-" + offset, offset));
        }
        List<String> read = new ArrayList<>();
        Optional<String> after = Optional.of("");
        int pages = 0;
        while (after.isPresent()) {
            JsonNode page = bench.get("quarantine", "consumer", consumer, "limit", "2", "after", after.get())
                    .body();
            read.addAll(EndpointBench.texts(page.path("messages"), "id"));
            after = Optional.of(page.path("next"))
                    .filter(next -> !next.isNull())
                    .map(JsonNode::asString);
            pages++;
        }

        assertThat(read).containsExactly("A-0", "A-1", "A-2", "A-3", "A-4");
        assertThat(pages).isEqualTo(3);
        JsonNode one = bench.get("quarantine", "consumer", consumer, "limit", "1")
                .body()
                .path("messages")
                .get(0);
        assertThat(one.propertyNames())
                .containsExactly(
                        "position", "id", "firstAt", "failureType", "failureGroup", "attempts", "behind", "replay");
    }

    @Test
    void filtersByEachCondition() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 1));
        bench.quarantine(Quarantined.of(consumer, "A-2", 2).failure("java.lang.IllegalStateException"));

        assertThat(found("failureType", "java.sql.SQLException")).containsExactly("A-1");
        assertThat(found("failureGroup", "g-31")).containsExactly("A-2");
        assertThat(found("from", "2020-01-01T00:00:00Z")).containsExactly("A-1", "A-2");
        assertThat(found("to", "2020-01-01T00:00:00Z")).isEmpty();
        assertThat(found("topic", "orders", "partition", "3", "firstOffset", "2"))
                .containsExactly("A-2");
        assertThat(found("topic", "orders", "partition", "3", "lastOffset", "1"))
                .containsExactly("A-1");
        assertThat(found("topic", "elsewhere")).isEmpty();
    }

    private List<String> found(String... conditions) {
        List<String> all = new ArrayList<>(List.of("consumer", consumer));
        all.addAll(List.of(conditions));
        return EndpointBench.texts(
                bench.get("quarantine", all.toArray(String[]::new)).body().path("messages"), "id");
    }

    @Test
    void showsOneMessageInFull() {
        bench.quarantine(
                Quarantined.of(consumer, "A-1", 7).key(42, false),
                Quarantined.of(consumer, "A-2", 8).key(42, true),
                Quarantined.of(consumer, "A-3", 9).key(42, true));

        JsonNode message =
                bench.get("message", "consumer", consumer, "id", "A-1").body();

        assertThat(message.path("position").asString()).isEqualTo("orders-3@7");
        assertThat(message.path("recordTimestamp").asString()).isEqualTo("2026-11-28T10:00:00Z");
        assertThat(message.path("failure").asString()).contains("at billing.Ledger.write(Ledger.java:31)");
        assertThat(message.path("bytes").asString()).isEqualTo("RAW");
        assertThat(message.path("headers").toString())
                .isEqualTo(
                        "[{\"name\":\"message-id\",\"value\":{\"as\":\"text\",\"text\":\"A-1\",\"bytes\":3,\"isCut\":false}},"
                                + "{\"name\":\"empty\",\"value\":null}]");
        assertThat(message.path("key").path("text").asString()).isEqualTo("customer-7");
        assertThat(message.path("value").toString())
                .isEqualTo("{\"as\":\"json\",\"text\":\"{\\\"order\\\":\\\"7\\\"}\",\"bytes\":13,\"isCut\":false}");
        assertThat(message.path("behindIt").asLong()).isEqualTo(2);
        assertThat(message.path("hidden").isNull()).isTrue();
    }

    @Test
    void hidesBytesAndFailuresFromCallersWithoutTheRole() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 7));

        JsonNode message = bench.send(bench.getAs("bob:b", "message", "consumer", consumer, "id", "A-1"))
                .body();

        assertThat(message.path("failureType").asString()).isEqualTo("java.sql.SQLException");
        assertThat(message.path("failure").isNull()).isTrue();
        assertThat(message.path("key").isNull()).isTrue();
        assertThat(message.path("value").isNull()).isTrue();
        assertThat(message.path("headers").toString())
                .isEqualTo("[{\"name\":\"message-id\",\"value\":null},{\"name\":\"empty\",\"value\":null}]");
        assertThat(message.path("hidden").asString()).contains("without the role ADMIN");
    }

    @Test
    void cutsBytesAndShowsWhatIsNoTextInHexadecimal() {
        byte[] long_ = "ü".repeat(40_000).getBytes(UTF_8);
        bench.quarantine(Quarantined.of(consumer, "long", 1).value(long_));
        bench.quarantine(Quarantined.of(consumer, "binary", 2).value(new byte[] {0, (byte) 0xff, 1}));

        JsonNode cut = value("long", "false");
        JsonNode full = value("long", "true");
        JsonNode binary = value("binary", "false");

        assertThat(cut.path("text").asString()).isEqualTo("ü".repeat(1024));
        assertThat(cut.path("isCut").asBoolean()).isTrue();
        assertThat(cut.path("bytes").asInt()).isEqualTo(80_000);
        assertThat(full.path("text").asString()).isEqualTo("ü".repeat(32_768));
        assertThat(binary.toString()).isEqualTo("{\"as\":\"hex\",\"text\":\"00ff01\",\"bytes\":3,\"isCut\":false}");
    }

    private JsonNode value(String id, String full) {
        return bench.get("message", "consumer", consumer, "id", id, "full", full)
                .body()
                .path("value");
    }

    @Test
    void showsTheAudit() {
        bench.quarantine(Quarantined.of(consumer, "A-1", 7));
        var unused = bench.application()
                .getBean(Operations.class)
                .as("eve", "api")
                .drop(new MessageId(consumer, "A-1"), "INC-42");

        for (Answer audit : List.of(bench.get("audit", "consumer", consumer), bench.get("audit", "limit", "1"))) {
            JsonNode act = audit.body().path("acts").get(0);
            assertThat(act.path("actor").asString()).isEqualTo("eve");
            assertThat(act.path("verb").asString()).isEqualTo("drop");
            assertThat(act.path("reason").asString()).isEqualTo("INC-42");
        }
        assertThat(bench.get("audit", "since", "2099-01-01T00:00:00Z").body().path("acts"))
                .isEmpty();
    }
}

package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.Output;
import io.idempotency.spring.endpoint.PayloadMask;
import io.idempotency.web.EndpointBench.Answer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.context.annotation.Bean;
import tools.jackson.databind.JsonNode;

/** What the endpoint shows of an outbox, and changes. No relay runs, so what is sent again waits. */
class EndpointOutboxTest {

    private static final String REASON = "INC-42";
    private static final List<PayloadMask.Part> MASKED = new CopyOnWriteArrayList<>();

    private static EndpointBench bench;
    private static OutboxStore store;

    /** Of each test its own. */
    private final String topic = "t-" + UUID.randomUUID();

    static class Masks {

        @Bean
        PayloadMask mask() {
            return (part, bytes) -> {
                MASKED.add(part);
                return new String(bytes, UTF_8).contains("secret") ? Optional.empty() : Optional.of(bytes);
            };
        }
    }

    @BeforeAll
    static void start() {
        bench = EndpointBench.with(
                Masks.class,
                "management.endpoint.idempotency.access=unrestricted",
                "idempotency.outbox.enabled=true",
                "idempotency.outbox.relay=false");
        store = bench.application().getBean(OutboxStore.class);
    }

    @AfterAll
    static void stop() {
        bench.close();
    }

    private List<Long> refuse(String... values) {
        Output[] outputs = new Output[values.length];
        for (int i = 0; i < values.length; i++) {
            outputs[i] = Refusing.output(topic, "id-" + i, values[i]);
        }
        return Refusing.refuse(store, topic + " does not exist", outputs);
    }

    private static Answer post(String act, Object... namesAndValues) {
        Map<String, Object> body = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            body.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return bench.post(act, body);
    }

    private static JsonNode acts() {
        return bench.get("audit", "consumer", "outbox").body().path("acts");
    }

    private static long refused() {
        return bench.get("outbox").body().path("refused").asLong();
    }

    @Test
    void countsWhatWaitsAndWhatWasRefused() {
        refuse("one", "two");
        store.add(List.of(Refusing.output("waiting", "id", "v")), () -> {});

        JsonNode status = bench.get("outbox").body();

        assertThat(status.propertyNames()).containsExactly("waiting", "oldestSeconds", "refused", "topics");
        assertThat(status.path("waiting").asLong()).isPositive();
        assertThat(status.path("topics").path(topic).asLong()).isEqualTo(2);
        JsonNode overview = bench.get("").body().path("outbox");
        assertThat(overview.propertyNames()).containsExactly("waiting", "oldestSeconds", "refused");
        assertThat(overview.path("refused").asLong()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void listsRefusedOutputsOfATopicInPages() {
        List<Long> numbers = refuse("one", "two", "three");
        Refusing.refuse(store, "other", Refusing.output("other", "id", "v"));

        JsonNode first = bench.get("refused", "topic", topic, "limit", "2").body();
        assertThat(EndpointBench.texts(first.path("outputs"), "number"))
                .containsExactly(numbers.get(0).toString(), numbers.get(1).toString());
        JsonNode one = first.path("outputs").get(0);
        assertThat(one.propertyNames()).containsExactly("number", "topic", "id", "addedAt", "bytes", "reason");
        assertThat(one.path("id").asString()).isEqualTo("id-0");
        assertThat(one.path("bytes").asLong()).isEqualTo(3);
        assertThat(one.path("reason").asString()).isEqualTo(topic + " does not exist");

        JsonNode next = bench.get(
                        "refused",
                        "topic",
                        topic,
                        "limit",
                        "2",
                        "after",
                        first.path("next").asString())
                .body();
        assertThat(EndpointBench.texts(next.path("outputs"), "number"))
                .containsExactly(numbers.get(2).toString());
        assertThat(next.path("next").isNull()).isTrue();
        assertThat(bench.get("refused").body().path("outputs").size()).isGreaterThanOrEqualTo(4);
    }

    @Test
    void showsAnOutputInFullToWhomItMay() {
        String number = refuse("{\"order\":1}").get(0).toString();

        JsonNode ada = bench.get("output", "number", number).body();
        JsonNode bob =
                bench.send(bench.getAs("bob:b", "output", "number", number)).body();

        assertThat(ada.path("topic").asString()).isEqualTo(topic);
        assertThat(ada.path("value").path("as").asString()).isEqualTo("json");
        assertThat(ada.path("key").path("text").asString()).isEqualTo("customer-7");
        assertThat(ada.path("headers").get(0).path("value").path("text").asString())
                .isEqualTo("id-0");
        assertThat(ada.path("hidden").isNull()).isTrue();
        assertThat(bob.path("reason").asString()).isEqualTo(topic + " does not exist");
        assertThat(bob.path("hidden").asString()).contains("without the role ADMIN");
        assertThat(bob.path("value").isNull()).isTrue();
        assertThat(bob.path("key").isNull()).isTrue();
        assertThat(bob.path("headers").get(0).path("name").asString()).isEqualTo("message-id");
        assertThat(bob.path("headers").get(0).path("value").isNull()).isTrue();
    }

    @Test
    void asksMasksBeforeItShowsAPart() {
        long number = refuse("secret").get(0);

        JsonNode shown = bench.get("output", "number", String.valueOf(number)).body();

        assertThat(shown.path("value").isNull()).isTrue();
        assertThat(shown.path("key").path("text").asString()).isEqualTo("customer-7");
        assertThat(MASKED).anySatisfy(part -> {
            assertThat(part.kind()).isEqualTo(PayloadMask.Kind.VALUE);
            assertThat(part.delivery().id().toString()).isEqualTo("outbox/id-0");
            assertThat(part.delivery().position().stream()).isEqualTo(topic);
            assertThat(part.delivery().position().partition()).isEqualTo(-1);
            assertThat(part.delivery().position().offset()).isEqualTo(number);
        });
    }

    @Test
    void showsAnOutputWhoseIdIsNoMessageId() {
        long number = Refusing.refuse(store, "too large", Refusing.output(topic, "\u0001", "v"))
                .get(0);

        assertThat(bench.get("output", "number", String.valueOf(number)).text("id"))
                .isEqualTo("\u0001");
    }

    @Test
    void sendsAnOutputOrAllOfATopicAgain() {
        List<Long> numbers = refuse("one", "two", "three");

        assertThat(post("resend", "number", numbers.get(0), "dryRun", true)
                        .body()
                        .toString())
                .isEqualTo("{\"outputs\":1,\"dryRun\":true}");
        assertThat(post("resend", "topic", topic, "dryRun", true).body().toString())
                .isEqualTo("{\"outputs\":3,\"dryRun\":true}");
        assertThat(store.refused().find(numbers.get(0))).isPresent();

        assertThat(post("resend", "number", numbers.get(0), "reason", REASON)
                        .body()
                        .toString())
                .isEqualTo("{\"outputs\":1,\"dryRun\":false}");
        assertThat(store.refused().find(numbers.get(0))).isEmpty();
        assertThat(post("resend", "topic", topic, "reason", REASON).body().toString())
                .isEqualTo("{\"outputs\":2,\"dryRun\":false}");

        JsonNode act = acts().get(0);
        assertThat(act.path("actor").asString()).isEqualTo("ada");
        assertThat(act.path("origin").asString()).isEqualTo("endpoint");
        assertThat(act.path("verb").asString()).isEqualTo("resend");
        assertThat(act.path("messages").asLong()).isEqualTo(2);
        assertThat(act.path("subject").asString()).isEqualTo("all outputs to " + topic);
        assertThat(act.path("reason").asString()).isEqualTo(REASON);
    }

    @Test
    void discardsAnOutput() {
        List<Long> numbers = refuse("one", "two");

        assertThat(post("discard", "number", numbers.get(1), "reason", REASON).status())
                .isEqualTo(200);

        assertThat(store.refused().find(numbers.get(1))).isEmpty();
        assertThat(store.refused().find(numbers.get(0))).isPresent();
        assertThat(acts().get(0).path("subject").asString()).isEqualTo("output " + numbers.get(1));
        assertThat(post("discard", "number", numbers.get(1), "reason", REASON).status())
                .isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            resend  | reason=r                        | 400 | Give a number, or a topic
            resend  | number=1;topic=t;reason=r       | 400 | Give a number, or a topic
            resend  | number=one;reason=r             | 400 | The parameter number must be a whole number
            resend  | number=999999999;reason=r       | 404 | Kafka has not refused output 999999999
            resend  | number=999999999;dryRun=true    | 404 | Kafka has not refused output 999999999
            resend  | topic=none;reason=r             | 404 | Kafka has not refused any output to none
            resend  | topic=none                      | 400 | The parameter reason is missing
            resend  | topic=none;consumer=billing     | 400 | The act resend has no parameter consumer
            discard | reason=r                        | 400 | The parameter number is missing
            discard | number=999999999;reason=r       | 404 | Kafka has not refused output 999999999
            discard | topic=t;reason=r                | 400 | The act discard has no parameter topic
            """)
    void refusesABadRequestWithASentence(String act, @Nullable String body, int status, String sentence) {
        refuse("one");
        long before = refused();

        Answer answer = post(act, EndpointBench.values(body).toArray());

        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.text("error")).startsWith(sentence);
        assertThat(refused()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"resend", "discard"})
    void aWriteNeedsAReasonTheRoleAndAPost(String act) {
        long number = refuse("one").get(0);

        assertThat(post(act, "number", number).text("error")).startsWith("The parameter reason is missing");
        assertThat(post(act, "number", number, "reason", " ").text("error")).startsWith("Say why");
        assertThat(bench.send(bench.postAs("bob:b", act, Map.of("number", number, "reason", REASON))
                                .build())
                        .status())
                .isEqualTo(403);
        assertThat(bench.get(act, "number", String.valueOf(number)).status()).isEqualTo(405);
        assertThat(store.refused().find(number)).isPresent();
    }

    @Test
    void saysWhereThereIsNoOutbox() {
        try (EndpointBench without = EndpointBench.writing()) {
            for (String view : List.of("outbox", "refused", "output")) {
                Answer answer = without.get(view, "number", "1");
                assertThat(answer.status()).isEqualTo(404);
                assertThat(answer.text("error")).startsWith("This application has no outbox");
            }
            assertThat(without.post("discard", Map.of("number", 1, "reason", REASON))
                            .status())
                    .isEqualTo(404);
            assertThat(without.get("").body().path("outbox").isNull()).isTrue();
        }
    }
}

package io.idempotency.web;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.web.EndpointBench.Answer;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The endpoint finds messages with any id, and answers questions that cannot be meant. */
class EndpointInputTest {

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

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a/b/../c;d=e",
                "\"'`\\",
                "<script>alert(1)</script>",
                "x\u202Eyz",
                "100%&a=b+c#d?e",
                "日本-\uD83D\uDE00"
            })
    void findsAnyId(String id) {
        bench.quarantine(Quarantined.of(consumer, id, 7));

        for (String view : List.of("message", "why")) {
            Answer answer = bench.get(view, "consumer", consumer, "id", id);
            assertThat(answer.status()).isEqualTo(200);
            JsonNode found = view.equals("why") ? answer.body().path("messages").get(0) : answer.body();
            assertThat(found.path("id").asString()).isEqualTo(id);
        }
    }

    /** In a query every byte may take three. Its position names it, too. */
    @Test
    void findsALongId() {
        String id = "/".repeat(4096);
        bench.quarantine(Quarantined.of(consumer, id, 7), Quarantined.of(consumer, "next", 8));

        assertThat(bench.get("message", "consumer", consumer, "id", id).text("id"))
                .isEqualTo(id);
        assertThat(bench.get("message", "consumer", consumer, "id", "orders-3@7")
                        .text("id"))
                .isEqualTo(id);
        String next =
                bench.get("quarantine", "consumer", consumer, "limit", "1").text("next");
        Answer page = bench.get("quarantine", "consumer", consumer, "after", next);
        assertThat(EndpointBench.texts(page.body().path("messages"), "id")).containsExactly("next");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            quarantine  |                                                | 400 | The parameter consumer is missing
            quarantine  | consumer=a b                                   | 400 | A consumer is named by
            quarantine  | consumer=nobody                                | 404 | Nothing is remembered of a consumer nobody
            groups      | consumer=nobody                                | 404 | Nothing is remembered of a consumer nobody
            why         | consumer=nobody;id=1                           | 404 | Nothing is remembered of a consumer nobody
            replays     | consumer=nobody                                | 404 | Nothing is remembered of a consumer nobody
            why         | consumer=billing                               | 400 | The parameter id is missing
            quarantine  | consumer=billing;limit=many                    | 400 | The parameter limit must be a whole number, not "many"
            quarantine  | consumer=billing;limit=0                       | 400 | The parameter limit must be a number from 1 to 500, not "0"
            quarantine  | consumer=billing;limit=501                     | 400 | The parameter limit must be a number from 1 to 500
            quarantine  | consumer=billing;from=yesterday                | 400 | The parameter from must be a moment such as
            quarantine  | consumer=billing;after=tampered                | 400 | The parameter after is not what a page gave as next
            quarantine  | consumer=billing;partition=1                   | 400 | A choice by partition needs a topic
            quarantine  | consumer=billing;topic=orders;firstOffset=1    | 400 | A choice by offset needs a topic and a partition
            message     | consumer=billing;id=absent                     | 404 | billing/absent is not in quarantine
            message     | consumer=billing;id=1;full=perhaps             | 400 | The parameter full must be true or false
            output      | number=1;full=perhaps                          | 400 | The parameter full must be true or false
            replay      | replay=none                                    | 404 | There is no replay none
            audit       | since=yesterday                                | 400 | The parameter since must be a moment
            everything  |                                                | 404 | There is no view everything: there are why, groups
            """)
    void answersABadQuestionWithASentence(String view, @Nullable String query, int status, String sentence) {
        Answer refused = bench.get(view, EndpointBench.values(query).toArray(String[]::new));

        assertThat(refused.status()).isEqualTo(status);
        assertThat(refused.text("error")).startsWith(sentence).doesNotContain("Exception", "\tat ");
        Iterator<String> names = refused.body().propertyNames().iterator();
        assertThat(names).toIterable().containsExactly("error");
    }

    /** Actuator would ignore it, and show all messages. */
    @Test
    void aMistypedConditionIsRefused() {
        bench.quarantine(Quarantined.of(consumer, "1", 7));

        Answer refused = bench.get("quarantine", "consumer", consumer, "failuretype", "X");

        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text("error")).startsWith("There is no parameter failuretype: ");
    }
}

package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.spring.endpoint.PayloadMask;
import io.idempotency.web.EndpointBench.Answer;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import tools.jackson.databind.JsonNode;

/** The endpoint with a mask of the application, for everybody or nobody, and without its database. */
class EndpointSettingsTest {

    static class Masked {

        /** Shows keys and failures, hides headers, replaces digits of values, and fails at one header. */
        @Bean
        PayloadMask mask() {
            return (part, bytes) -> switch (part.kind()) {
                case KEY -> Optional.of(bytes);
                case VALUE ->
                    Optional.of(new String(bytes, UTF_8).replaceAll("\\d", "*").getBytes(UTF_8));
                case FAILURE -> Optional.of((part.delivery().id().value() + " failed").getBytes(UTF_8));
                case HEADER -> {
                    if (part.header().equals("message-id")) {
                        throw new IllegalStateException("no idea");
                    }
                    yield Optional.empty();
                }
            };
        }
    }

    @Test
    void aMaskOfTheApplicationIsAppliedBeforeAnythingIsShown() {
        try (EndpointBench bench = EndpointBench.with(Masked.class, "idempotency.operations.payloads=all")) {
            bench.quarantine(Quarantined.of("billing", "A-1", 7));

            JsonNode message = bench.send(bench.getAs("bob:b", "message", "consumer", "billing", "id", "A-1"))
                    .body();

            assertThat(message.path("key").path("text").asString()).isEqualTo("customer-7");
            assertThat(message.path("value").path("text").asString()).isEqualTo("{\"order\":\"*\"}");
            assertThat(message.path("failure").asString()).isEqualTo("A-1 failed");
            assertThat(message.path("headers").toString())
                    .isEqualTo("[{\"name\":\"message-id\",\"value\":null},{\"name\":\"empty\",\"value\":null}]");
        }
    }

    @Test
    void bytesAreForNobodyIfThePropertySaysSoAndADatabaseThatIsAwayIsNoMistakeOfTheCaller() {
        try (EndpointBench bench = EndpointBench.writing(
                "idempotency.operations.payloads=none", "spring.datasource.hikari.connection-timeout=250")) {
            bench.quarantine(Quarantined.of("billing", "A-1", 7));
            Answer hidden = bench.get("message", "consumer", "billing", "id", "A-1");
            assertThat(hidden.text("hidden")).contains("idempotency.operations.payloads is none");
            assertThat(hidden.body().path("value").isNull()).isTrue();

            bench.cutDatabaseOff();

            for (Answer away : new Answer[] {
                bench.get(""),
                bench.get("groups", "consumer", "billing"),
                bench.post("drop", Map.of("consumer", "billing", "id", "A-1", "reason", "INC-42"))
            }) {
                assertThat(away.status()).isEqualTo(503);
                assertThat(away.text("error")).startsWith("The database does not answer this now");
            }
            assertThat(bench.get("session").status()).isEqualTo(200);
        }
    }
}

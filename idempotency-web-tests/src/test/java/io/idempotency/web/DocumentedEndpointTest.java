package io.idempotency.web;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.web.EndpointBench.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The examples of {@code docs/endpoint.md} are what the endpoint answers; only moments and random names are replaced. */
class DocumentedEndpointTest {

    private static final Path PAGE = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolveSibling("docs")
            .resolve("endpoint.md");
    private static final String BEGIN = "<!-- examples -->\n";
    private static final String END = "<!-- end of examples -->";
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final StringBuilder examples = new StringBuilder();

    /** Compares the page with the answers, or writes it if the test runs with {@code -Didempotency.docs=write}. */
    @Test
    void thePageHasTheAnswersOfTheEndpoint() throws IOException {
        try (EndpointBench bench = EndpointBench.writing(
                "idempotency.replay.enabled=false",
                "idempotency.outbox.enabled=true",
                "idempotency.outbox.relay=false")) {
            bench.quarantine(
                    Quarantined.of("billing", "A-1", 18272).key(7, false),
                    Quarantined.of("billing", "A-2", 18290).key(7, true),
                    Quarantined.of("billing", "A-3", 18301).failure("java.lang.IllegalStateException"));
            Refusing.refuse(
                    bench.application().getBean(OutboxStore.class),
                    "shipments does not exist",
                    Refusing.output("shipments", "B-1", "{\"order\":\"18272\"}"),
                    Refusing.output("shipments", "B-2", "{\"order\":\"18290\"}"));
            ask(bench);
            change(bench);
            outputs(bench);
        }
        String page = Files.readString(PAGE);
        if ("write".equals(System.getProperty("idempotency.docs"))) {
            page = page.substring(0, page.indexOf(BEGIN) + BEGIN.length())
                    + examples
                    + page.substring(page.indexOf(END));
            Files.writeString(PAGE, page);
        }

        assertThat(page.substring(page.indexOf(BEGIN) + BEGIN.length(), page.indexOf(END)))
                .as("The answers differ from the page. Write it anew with -Didempotency.docs=write")
                .isEqualTo(examples.toString());
    }

    private void ask(EndpointBench bench) {
        get(bench, "");
        get(bench, "why", "consumer", "billing", "id", "orders-3@18272");
        get(bench, "groups", "consumer", "billing");
        get(bench, "quarantine", "consumer", "billing", "limit", "1");
        get(bench, "message", "consumer", "billing", "id", "A-1");
        get(bench, "session");
        get(bench, "quarantine", "consumer", "biling");
    }

    private void change(EndpointBench bench) {
        String type = "java.sql.SQLException";
        post(bench, "replay", "consumer", "billing", "failureType", type, "dryRun", true);
        String replay = post(
                        bench, "replay", "consumer", "billing", "failureType", type, "limit", 1, "reason", "INC-42")
                .text("id");
        post(bench, "pause", "replay", replay, "reason", "INC-42");
        post(bench, "drop", "consumer", "billing", "id", "A-1", "reason", "INC-42");
        post(bench, "drop", "consumer", "billing", "id", "A-3", "reason", "INC-42");
        post(bench, "forget", "consumer", "billing", "id", "A-3", "dryRun", true);
        post(bench, "purge", "dryRun", true);
        get(bench, "audit", "consumer", "billing", "limit", "1");
    }

    private void outputs(EndpointBench bench) {
        get(bench, "outbox");
        get(bench, "refused", "topic", "shipments", "limit", "1");
        get(bench, "output", "number", "1");
        post(bench, "discard", "number", 1, "reason", "INC-42");
        post(bench, "resend", "topic", "shipments", "reason", "INC-42");
    }

    private void get(EndpointBench bench, String view, String... parameters) {
        StringBuilder query = new StringBuilder(view.isEmpty() ? "" : "/" + view);
        for (int i = 0; i < parameters.length; i += 2) {
            query.append(i == 0 ? '?' : '&').append(parameters[i]).append('=').append(parameters[i + 1]);
        }
        tell("GET /actuator/idempotency" + query, bench.get(view, parameters));
    }

    private Answer post(EndpointBench bench, String act, Object... namesAndValues) {
        Map<String, Object> body = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            body.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        Answer answer = bench.post(act, body);
        tell("POST /actuator/idempotency/" + act + "\n" + JsonMapper.shared().writeValueAsString(body), answer);
        return answer;
    }

    private void tell(String request, Answer answer) {
        examples.append("```text\n")
                .append(told(request))
                .append("\n→ ")
                .append(answer.status())
                .append("\n```\n```json\n")
                .append(told(JSON.writeValueAsString(answer.body())))
                .append("\n```\n\n");
    }

    private static String told(String text) {
        return text.replaceAll("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "2026-11-28T09:12:00Z")
                .replaceAll("[0-9a-f]{8}-[0-9a-f-]{27}", "5d0c1a0e-6f0c-4a55-9b7e-2f6f3c1d9a10")
                .replaceAll("billing-service \\d+@[^\"]+", "billing-service 4711@host");
    }
}

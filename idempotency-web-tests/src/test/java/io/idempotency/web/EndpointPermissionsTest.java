package io.idempotency.web;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.web.EndpointBench.Answer;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nobody changes anything without permission. Each case has its status. */
class EndpointPermissionsTest {

    private static final Map<String, Object> PURGE = Map.of("dryRun", true);

    private static EndpointBench bench;

    @BeforeAll
    static void start() {
        bench = EndpointBench.writing();
    }

    @AfterAll
    static void stop() {
        bench.close();
    }

    @Test
    void aWriteNeedsALogin() {
        assertThat(bench.send(bench.postAs("", "purge", PURGE).build()).status())
                .isEqualTo(401);
        assertThat(bench.send(bench.getAs("", "")).status()).isEqualTo(401);
    }

    @Test
    void aWriteNeedsTheRole() {
        Answer refused = bench.send(bench.postAs("bob:b", "purge", PURGE).build());

        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.text("error"))
                .isEqualTo("You are logged in without the role ADMIN: idempotency.operations.role names it.");
    }

    @Test
    void aWriteNeedsTheTokenAgainstForgedRequests() {
        assertThat(bench.send(bench.postWithoutToken("ada:a", "purge", PURGE).build())
                        .status())
                .isEqualTo(403);
    }

    @Test
    void aWriteIsPossibleWithAllOfThem() {
        assertThat(bench.post("purge", PURGE).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pause", "resume", "stop", "drop", "forget", "purge", "resend", "discard"})
    void aWriteIsNoGet(String act) {
        Answer refused = bench.get(act, "consumer", "billing", "reason", "INC-42", "dryRun", "false");

        assertThat(refused.status()).isEqualTo(405);
        assertThat(refused.text("error")).contains("send it by POST");
    }

    @Test
    void aWriteIsJson() {
        HttpRequest form = EndpointBench.withToken(HttpRequest.newBuilder(URI.create(bench.address() + "/purge"))
                        .header(
                                "Authorization",
                                bench.getAs("ada:a", "")
                                        .headers()
                                        .firstValue("Authorization")
                                        .orElseThrow())
                        .header("Content-Type", "application/x-www-form-urlencoded"))
                .POST(HttpRequest.BodyPublishers.ofString("dryRun=true"))
                .build();

        assertThat(bench.send(form).status()).isEqualTo(415);
    }

    @Test
    void thePageCanAskWhatACallerMayDo() {
        Answer ada = bench.get("session");
        Answer bob = bench.send(bench.getAs("bob:b", "session"));

        assertThat(ada.body().toString()).isEqualTo("{\"user\":\"ada\",\"mayWrite\":true,\"whyNot\":null}");
        assertThat(bob.body().path("mayWrite").asBoolean()).isFalse();
        assertThat(bob.text("whyNot")).contains("without the role ADMIN");
    }

    @Test
    void aReadOnlyEndpointHasNoWrites() {
        try (EndpointBench reading = EndpointBench.start()) {
            assertThat(reading.post("purge", PURGE).status()).isEqualTo(405);
            assertThat(reading.get("session").text("whyNot"))
                    .contains("management.endpoint.idempotency.access=unrestricted");
        }
    }

    @Test
    void withoutSpringSecurityNobodyWritesUnlessTheRoleIsEmpty() {
        String security = "org.springframework.boot.security.autoconfigure.";
        String without = "spring.autoconfigure.exclude=" + security + "SecurityAutoConfiguration," + security
                + "UserDetailsServiceAutoConfiguration," + security + "web.servlet.ServletWebSecurityAutoConfiguration,"
                + security + "web.servlet.SecurityFilterAutoConfiguration," + security
                + "actuate.web.servlet.ManagementWebSecurityAutoConfiguration";
        try (EndpointBench open = EndpointBench.withoutSecurity("idempotency.operations.role=ADMIN", without)) {
            Answer refused = open.send(open.postWithoutToken("", "purge", PURGE).build());

            assertThat(refused.status()).isEqualTo(403);
            assertThat(refused.text("error")).contains("the application has no Spring Security");
            assertThat(open.send(open.getAs("", "")).status()).isEqualTo(200);
        }
        try (EndpointBench walled = EndpointBench.withoutSecurity("idempotency.operations.role=", without)) {
            assertThat(walled.send(walled.postWithoutToken("", "purge", PURGE).build())
                            .status())
                    .isEqualTo(200);
        }
    }

    @Test
    void theEndpointIsTheSameOnAPortOfItsOwn() {
        try (EndpointBench other = EndpointBench.writing("management.server.port=0")) {
            assertThat(other.get("").body().path("consumers").isEmpty()).isFalse();
            assertThat(other.post("purge", PURGE).status()).isEqualTo(200);
            assertThat(other.send(other.postAs("bob:b", "purge", PURGE).build()).status())
                    .isEqualTo(403);
            assertThat(other.send(other.postAs("", "purge", PURGE).build()).status())
                    .isEqualTo(401);
            assertThat(other.send(other.postWithoutToken("ada:a", "purge", PURGE)
                                    .build())
                            .status())
                    .isEqualTo(403);
        }
    }
}

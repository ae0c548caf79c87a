package io.idempotency.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.CookieManager;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.csrf.CookieCsrfTokenRepository;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Where the console is, behind what, and when it is not there. */
@ExtendWith(OutputCaptureExtension.class)
class ConsoleServingTest {

    private static final String PAGE = "/actuator/idempotency-console/";
    private static final String NO_DATABASE = "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration";

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            of the application   |                                                                      | /actuator
            below another path   | management.endpoints.web.base-path=/ops                              | /ops
            at the root          | management.endpoints.web.base-path=/                                 |
            below a context      | server.servlet.context-path=/app spring.mvc.servlet.path=/mvc        | /app/mvc/actuator
            of its own           | management.server.port=0 spring.mvc.servlet.path=/mvc                | /actuator
            of its own, elsewhere| management.server.port=0 management.server.base-path=/m management.endpoints.web.base-path=/ops | /m/ops
            """)
    void isBesideTheEndpointsOnThePort(String where, String settings, String base) throws Exception {
        String path = (base == null ? "" : base) + "/idempotency-console";
        try (var application = application(settings == null ? "" : settings)) {
            HttpResponse<String> page = get(application, path + "/");
            assertThat(page.statusCode()).as(where).isEqualTo(200);
            assertThat(page.body()).contains("<title>Idempotency</title>");
            assertThat(get(application, path + "/app.js").headers().firstValue("Content-Type"))
                    .contains("text/javascript;charset=UTF-8");
            assertThat(get(application, path).headers().firstValue("Location"))
                    .hasValueSatisfying(location -> assertThat(location).endsWith(path + "/"));
            assertThat(csrf(get(application, path + "/session")).get("header").asString())
                    .isEqualTo("X-CSRF-TOKEN");
        }
    }

    @Test
    void letsABrowserRunNothingElse() throws Exception {
        try (var application = application("")) {
            for (String path : List.of(PAGE, PAGE + "app.css", PAGE + "session", PAGE + "none")) {
                var headers = get(application, path).headers();
                assertThat(headers.allValues("Content-Security-Policy"))
                        .as(path)
                        .singleElement()
                        .asString()
                        .startsWith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
                        .contains("frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
                        .doesNotContain("unsafe");
                assertThat(headers.allValues("X-Content-Type-Options")).containsExactly("nosniff");
                assertThat(headers.allValues("Referrer-Policy")).containsExactly("no-referrer");
                assertThat(headers.allValues("Cache-Control")).containsExactly("no-store");
            }
        }
    }

    @Test
    void servesItsFilesOnlyToThoseWhomTheApplicationLetsIn() throws Exception {
        try (var application = application("")) {
            HttpRequest anonymous = request(application, PAGE)
                    .header("Accept", "application/json")
                    .build();
            assertThat(client().send(anonymous, BodyHandlers.ofString()).statusCode())
                    .isEqualTo(401);
            assertThat(Stream.of("none", "ConsoleServlet.class", "package-info.class")
                            .map(name -> statusOf(application, PAGE + name)))
                    .containsOnly(404);
        }
    }

    enum Tokens {
        SESSION,
        COOKIE,
        SPA
    }

    /** A page does not know which form of the token its application takes in a header, so it gets all there are. */
    @ParameterizedTest
    @EnumSource(Tokens.class)
    void handsOutTheCsrfTokenOfTheApplication(Tokens kind) throws Exception {
        try (var application = application("tokens=" + kind)) {
            HttpClient browser =
                    HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
            JsonNode csrf = csrf(browser.send(
                    authorized(request(application, PAGE + "session")).build(), BodyHandlers.ofString()));
            List<Integer> statuses = csrf.get("tokens").values().stream()
                    .map(token -> poke(browser, application, csrf.get("header").asString(), token.asString()))
                    .toList();
            assertThat(statuses).contains(200);
            assertThat(statuses.get(0) == 200).isEqualTo(kind != Tokens.SPA);
            assertThat(poke(browser, application, "X-Nothing", "none")).isEqualTo(401);
        }
    }

    @Test
    void staysOffWithoutSpringSecurityAndSaysWhatToDo(CapturedOutput output) throws Exception {
        String security = "org.springframework.boot.security.autoconfigure.";
        try (var application = application("spring.autoconfigure.exclude=" + NO_DATABASE + "," + security
                + "web.servlet.ServletWebSecurityAutoConfiguration," + security
                + "actuate.web.servlet.ManagementWebSecurityAutoConfiguration")) {
            assertThat(statusOf(application, PAGE)).isEqualTo(404);
        }
        assertThat(output).containsOnlyOnce("The console is off").contains("add spring-boot-starter-security");
    }

    @Test
    void staysOffWithoutAWebServerOrAPort(CapturedOutput output) {
        application("spring.main.web-application-type=none").close();
        assertThat(output).contains("The console is off. It needs a web server for servlets");
        application("management.server.port=-1").close();
        assertThat(output).contains("The console is off. It is served on the management port");
    }

    @Test
    void isOffUnlessSwitchedOn(CapturedOutput output) throws Exception {
        try (var application = application("idempotency.console.enabled=false")) {
            assertThat(statusOf(application, PAGE)).isEqualTo(404);
        }
        assertThat(output).doesNotContain("The console is");
    }

    @Test
    void saysWhereItIsAndThatItsEndpointIsMissing(CapturedOutput output) {
        application("").close();
        assertThat(output)
                .contains("The console is at " + PAGE + " of the application's port.")
                .contains("The console has nothing to show")
                .contains("add idempotency to management.endpoints.web.exposure.include");
    }

    private static ConfigurableApplicationContext application(String settings) {
        return new SpringApplicationBuilder(Application.class)
                .properties(
                        "idempotency.console.enabled=true",
                        "idempotency.store=memory",
                        "server.port=0",
                        "spring.autoconfigure.exclude=" + NO_DATABASE,
                        "spring.security.user.name=ada",
                        "spring.security.user.password=secret")
                .properties(settings.split(" "))
                .run();
    }

    private static HttpClient client() {
        return HttpClient.newHttpClient();
    }

    private static HttpRequest.Builder request(ConfigurableApplicationContext application, String path) {
        String port = application
                .getEnvironment()
                .getProperty(
                        "local.management.port", application.getEnvironment().getRequiredProperty("local.server.port"));
        return HttpRequest.newBuilder(URI.create("http://localhost:" + port + path));
    }

    private static HttpRequest.Builder authorized(HttpRequest.Builder request) {
        String login = Base64.getEncoder().encodeToString("ada:secret".getBytes(StandardCharsets.UTF_8));
        return request.header("Authorization", "Basic " + login);
    }

    private static HttpResponse<String> get(ConfigurableApplicationContext application, String path)
            throws IOException, InterruptedException {
        return client().send(authorized(request(application, path)).build(), BodyHandlers.ofString());
    }

    private static int statusOf(ConfigurableApplicationContext application, String path) {
        try {
            return get(application, path).statusCode();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode csrf(HttpResponse<String> session) {
        return new ObjectMapper().readTree(session.body()).get("csrf");
    }

    private static int poke(
            HttpClient browser, ConfigurableApplicationContext application, String header, String token) {
        try {
            HttpRequest request = authorized(request(application, "/poke").POST(BodyPublishers.noBody()))
                    .header(header, token)
                    .build();
            return browser.send(request, BodyHandlers.discarding()).statusCode();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Application {

        @PostMapping("/poke")
        String poke() {
            return "poked";
        }

        @Bean
        @ConditionalOnProperty("tokens")
        SecurityFilterChain security(HttpSecurity http, @Value("${tokens}") Tokens kind) {
            http.authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                    .httpBasic(Customizer.withDefaults());
            switch (kind) {
                case SESSION -> http.csrf(Customizer.withDefaults());
                case COOKIE ->
                    http.csrf(csrf -> csrf.csrfTokenRepository(CookieCsrfTokenRepository.withHttpOnlyFalse()));
                case SPA -> http.csrf(csrf -> csrf.spa());
            }
            return http.build();
        }
    }
}

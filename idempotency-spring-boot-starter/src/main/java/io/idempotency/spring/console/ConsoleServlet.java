package io.idempotency.spring.console;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.web.PathMappedEndpoints;
import org.springframework.boot.json.JsonWriter;
import org.springframework.security.web.csrf.CsrfToken;
import org.springframework.security.web.csrf.DeferredCsrfToken;

/**
 * Answers with the files of the console, and with what its page has to know to ask the endpoint. Whoever comes here has passed the application's Spring
 * Security; the files hold no data. Thread-safe.
 */
@SuppressWarnings("serial") // Nobody serializes a servlet.
final class ConsoleServlet extends HttpServlet {

    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html;charset=UTF-8",
            "css", "text/css;charset=UTF-8",
            "js", "text/javascript;charset=UTF-8",
            "svg", "image/svg+xml");

    /** Nothing but these files is ever served. */
    private static final Map<String, byte[]> FILES = Stream.of(
                    "index.html",
                    "app.css",
                    "icon.svg",
                    "app.js",
                    "api.js",
                    "dom.js",
                    "charts.js",
                    "consumers.js",
                    "quarantine.js",
                    "acts.js",
                    "outbox.js",
                    "payload.js",
                    "lookups.js")
            .collect(Collectors.toUnmodifiableMap(name -> name, ConsoleServlet::bytes));

    /** The id of the endpoint that the page asks. */
    static final String ENDPOINT = "idempotency";

    private final ObjectProvider<PathMappedEndpoints> exposed;

    /** Takes the endpoints late: to ask for them creates all of them. */
    ConsoleServlet(ObjectProvider<PathMappedEndpoints> exposed) {
        this.exposed = exposed;
    }

    /** Returns the path of the endpoint below the base path of all endpoints; none if it is not exposed. */
    static @Nullable String endpoint(PathMappedEndpoints exposed) {
        return exposed.getRootPath(EndpointId.of(ENDPOINT));
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String path = request.getPathInfo();
        if (path == null) {
            response.sendRedirect(request.getRequestURI() + "/");
        } else if (path.equals("/session")) {
            send(
                    response,
                    "application/json",
                    JsonWriter.standard().writeToString(session(request)).getBytes(UTF_8));
        } else {
            String name = path.equals("/") ? "index.html" : path.substring(1);
            byte[] file = FILES.get(name);
            if (file == null) {
                response.setStatus(HttpServletResponse.SC_NOT_FOUND);
                return;
            }
            send(response, Objects.requireNonNull(TYPES.get(name.substring(name.indexOf('.') + 1))), file);
        }
    }

    /** Relative, so that it is right behind any proxy. */
    private Map<String, @Nullable Object> session(HttpServletRequest request) {
        Map<String, @Nullable Object> session = new LinkedHashMap<>();
        String endpoint = endpoint(exposed.getObject());
        session.put("endpoint", endpoint == null ? null : "../" + endpoint);
        session.put("csrf", csrf(request));
        return session;
    }

    /**
     * Returns the token of the application, if it has one. Applications differ in what they take in a header: the masked token, or the one that they keep. The
     * page tries both.
     */
    private static @Nullable Map<String, Object> csrf(HttpServletRequest request) {
        if (!(request.getAttribute(CsrfToken.class.getName()) instanceof CsrfToken masked)) {
            return null;
        }
        Stream<String> kept = request.getAttribute(DeferredCsrfToken.class.getName()) instanceof DeferredCsrfToken token
                ? Stream.of(token.get().getToken())
                : Stream.empty();
        return Map.of(
                "header", masked.getHeaderName(),
                "tokens",
                        Stream.concat(Stream.of(masked.getToken()), kept)
                                .distinct()
                                .toList());
    }

    private static void send(HttpServletResponse response, String type, byte[] body) throws IOException {
        response.setContentType(type);
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
    }

    private static byte[] bytes(String name) {
        try (InputStream file = ConsoleServlet.class.getResourceAsStream(name)) {
            return Objects.requireNonNull(file, name).readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

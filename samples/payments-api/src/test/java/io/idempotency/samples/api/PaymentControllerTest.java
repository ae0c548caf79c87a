package io.idempotency.samples.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Clients of the whole service, which is a process of its own on a real PostgreSQL, and is killed. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class PaymentControllerTest {

    private static final int PAYMENTS = 200;
    private static final int COPIES = 3;
    private static final int KILLS = 4;

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final EmbeddedPostgres postgres;
    private final int port;
    private final long seed = System.nanoTime();
    private final AtomicInteger deaths = new AtomicInteger();
    private volatile Process service;

    PaymentControllerTest() throws IOException {
        postgres = EmbeddedPostgres.start();
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        service = start();
    }

    @BeforeAll
    void awaitService() {
        await().atMost(Duration.ofMinutes(2)).until(() -> {
            assertThat(service.isAlive())
                    .as("the service has ended; see target/payments-api.log")
                    .isTrue();
            return send(UUID.randomUUID().toString(), "{}").statusCode() != 0;
        });
    }

    @AfterAll
    void stop() throws IOException {
        service.destroyForcibly();
        postgres.close();
    }

    private Process start() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                PaymentsApi.class.getName(),
                "--server.address=127.0.0.1",
                "--server.port=" + port,
                "--spring.datasource.url=" + postgres.getJdbcUrl("postgres", "postgres"));
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Path log = Path.of(System.getProperty("basedir", ""), "target", "payments-api.log");
        return builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    /** What a client got; the status is 0 if it got no answer. */
    private record Got(int statusCode, String body, String replayed) {}

    private Got send(String key, String body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/payments"))
                .header("Idempotency-Key", "\"" + key + "\"")
                .header("Content-Type", "application/octet-stream")
                .timeout(Duration.ofSeconds(20))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            return new Got(
                    response.statusCode(),
                    response.body(),
                    response.headers().firstValue("Idempotent-Replayed").orElse(""));
        } catch (IOException e) {
            return new Got(0, "", "");
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String payment(String customer) {
        return "{\"customer\":\"" + customer + "\",\"cents\":1050}";
    }

    private long count(String customer) {
        return JdbcClient.create(postgres.getPostgresDatabase())
                .sql("select count(*) from api_payment where customer like ?")
                .param(customer)
                .query(Long.class)
                .single();
    }

    @Test
    void answersAsTheDraftSays() throws Exception {
        String key = UUID.randomUUID().toString();
        Got first = send(key, payment("anna"));
        assertThat(first.statusCode()).isEqualTo(201);
        assertThat(first.replayed()).isEqualTo("false");

        assertThat(send(key, payment("anna"))).isEqualTo(new Got(201, first.body(), "true"));
        assertThat(send(key, payment("bob")).statusCode()).isEqualTo(422);
        assertThat(send("", payment("anna")).statusCode()).isEqualTo(400);
        assertThat(send(UUID.randomUUID().toString(), "no JSON").statusCode()).isEqualTo(400);
        assertThat(count("anna")).isOne();
        assertThat(count("bob")).isZero();
    }

    @Test
    void eachPaymentIsMadeOnceAndHasOneReceiptHoweverOftenServiceAndClientsFail() throws Exception {
        Random random = new Random(seed);
        Map<String, Set<String>> receipts = new ConcurrentHashMap<>();
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < PAYMENTS; i++) {
            keys.addAll(Collections.nCopies(COPIES, UUID.randomUUID().toString()));
        }
        // Some copies come at once, and others when the first was answered long ago.
        Collections.shuffle(keys.subList(0, keys.size() / 2), random);
        ExecutorService clients = Executors.newFixedThreadPool(6);
        try {
            List<Future<?>> asked = new ArrayList<>();
            for (String key : keys) {
                if (random.nextInt(3) == 0) {
                    asked.add(clients.submit(() -> askAndDie(key)));
                }
                asked.add(clients.submit(() -> receipts.computeIfAbsent(key, each -> ConcurrentHashMap.newKeySet())
                        .add(untilAnswered(key))));
            }
            for (int kill = 0; kill < KILLS; kill++) {
                Future<?> next = asked.get((kill + 1) * asked.size() / (KILLS + 2));
                next.get();
                service.destroyForcibly().waitFor();
                service = start();
            }
            for (Future<?> each : asked) {
                each.get();
            }
        } finally {
            clients.shutdownNow();
        }

        assertThat(deaths).hasPositiveValue();
        assertThat(receipts).as("seed %d", seed).hasSize(PAYMENTS);
        assertThat(receipts.values())
                .as("seed %d", seed)
                .allSatisfy(each -> assertThat(each).hasSize(1));
        assertThat(count("load-%")).as("seed %d", seed).isEqualTo(PAYMENTS);
    }

    /** Does what the kernel does for a process that is killed behind its request. */
    private void askAndDie(String key) {
        String body = payment(customer(key));
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoLinger(true, 0);
            socket.getOutputStream()
                    .write("""
                            POST /payments HTTP/1.1\r
                            Host: 127.0.0.1\r
                            Idempotency-Key: "%s"\r
                            Content-Type: application/octet-stream\r
                            Content-Length: %d\r
                            \r
                            %s""".formatted(key, body.length(), body).getBytes(StandardCharsets.US_ASCII));
            Thread.sleep(5);
        } catch (IOException serviceIsAway) {
            return;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        deaths.incrementAndGet();
    }

    private static String customer(String key) {
        return "load-" + key.substring(0, 8);
    }

    private String untilAnswered(String key) throws InterruptedException {
        while (true) {
            Got got = send(key, payment(customer(key)));
            if (got.statusCode() == 201) {
                return got.body();
            }
            assertThat(got.statusCode()).isIn(0, 409, 500, 503);
            Thread.sleep(50);
        }
    }
}

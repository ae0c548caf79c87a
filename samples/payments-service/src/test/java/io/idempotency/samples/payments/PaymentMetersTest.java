package io.idempotency.samples.payments;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.micrometer.QuarantineMeters;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.test.context.EmbeddedKafka;

/** The whole service on a real broker and a real PostgreSQL. It exports what the dashboard and the alerts of docs/monitoring.md read. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {"idempotency.purge.interval=200ms", "spring.security.user.password=secret"})
@Import(PaymentListenerTest.Database.class)
@EmbeddedKafka(partitions = 1, topics = "orders", bootstrapServersProperty = "spring.kafka.bootstrap-servers")
class PaymentMetersTest {

    private static final Path MONITORING = Path.of("../../docs/monitoring");
    private static final Pattern METRIC = Pattern.compile("\\bidempotency_[a-z_]+\\b");
    /** Of journals, of leases and of shadow mode, which this service does not use. */
    private static final Pattern OF_OTHERS = Pattern.compile("idempotency_(journal|leases|shadow)_.*");

    private static final String LOGIN =
            "Basic " + Base64.getEncoder().encodeToString("operator:secret".getBytes(UTF_8));

    @LocalServerPort
    private int port;

    @Autowired
    private KafkaTemplate<String, String> kafka;

    @Autowired
    private JdbcTemplate jdbc;

    @Autowired
    private QuarantineMeters quarantine;

    private void order(UUID id, long cents) {
        String json = "{\"id\":\"%s\",\"customer\":\"anna\",\"cents\":%d}".formatted(id, cents);
        ProducerRecord<String, String> record = new ProducerRecord<>("orders", "anna", json);
        record.headers().add("message-id", id.toString().getBytes(UTF_8));
        kafka.send(record).join();
    }

    private String scrape() throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/actuator/prometheus"))
                                .header("Authorization", LOGIN)
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    private static Set<String> metrics(String text) {
        Set<String> metrics = new TreeSet<>();
        METRIC.matcher(text).results().forEach(found -> metrics.add(found.group()));
        return metrics;
    }

    @Test
    void exportsWhatDashboardAndAlertsRead() throws Exception {
        UUID twice = UUID.randomUUID();
        order(twice, 1050);
        order(twice, 1050);
        order(UUID.randomUUID(), 100_000_000);
        String quarantined =
                "idempotency_consumptions_seconds_count{consumer=\"payments\",level=\"strong\",outcome=\"quarantined\"} 1";
        await().atMost(Duration.ofSeconds(30)).until(() -> scrape().contains(quarantined));
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            quarantine.count();
            return scrape().contains("idempotency_horizon_age_seconds");
        });

        Set<String> read = metrics(Files.readString(MONITORING.resolve("alerts.yml")));
        read.addAll(metrics(Files.readString(MONITORING.resolve("dashboard.json"))));
        read.removeIf(OF_OTHERS.asMatchPredicate());

        String exported = scrape();
        assertThat(metrics(exported)).containsAll(read);
        assertThat(exported)
                .contains(
                        "idempotency_duplicates_total{consumer=\"payments\",kind=\"resend\"} 1",
                        "idempotency_quarantine_messages{consumer=\"payments\"} 1");
        assertThat(jdbc.queryForList("select cents from payment", Long.class)).containsExactly(1050L);
    }
}

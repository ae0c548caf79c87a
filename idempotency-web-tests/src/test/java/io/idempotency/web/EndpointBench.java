package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A running application with the endpoint on a free port, its database, and a client. */
final class EndpointBench implements AutoCloseable {

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String TOKEN = "0c5a3f5e-token";

    final String topic = WebServers.topic("orders");
    private final String database = WebServers.database();
    private final HttpClient client = HttpClient.newHttpClient();
    private final Map<String, Object> kafka = Map.of("bootstrap.servers", WebServers.bootstrapServers());
    private final KafkaProducer<String, String> producer =
            new KafkaProducer<>(kafka, new StringSerializer(), new StringSerializer());
    private final Admin admin = Admin.create(kafka);
    private final ConfigurableApplicationContext application;

    /** An answer. */
    record Answer(int status, JsonNode body) {

        String text(String name) {
            return body.path(name).asString();
        }
    }

    private EndpointBench(List<String> properties, Class<?>... sources) {
        application = new SpringApplicationBuilder(sources)
                .properties(
                        "server.port=0",
                        "server.max-http-request-header-size=16KB",
                        "spring.main.banner-mode=off",
                        "spring.application.name=billing-service",
                        "spring.kafka.bootstrap-servers=" + WebServers.bootstrapServers(),
                        "spring.kafka.consumer.auto-offset-reset=earliest",
                        "spring.datasource.url=" + WebServers.url(database),
                        "spring.datasource.hikari.minimum-idle=1",
                        "idempotency.schema.mode=always",
                        "idempotency.purge.enabled=false",
                        "idempotency.cache.size=0",
                        "management.endpoints.web.exposure.include=idempotency",
                        "topic=" + topic)
                .properties(properties.toArray(String[]::new))
                .run();
    }

    static EndpointBench start(String... properties) {
        return new EndpointBench(List.of(properties), EndpointApplication.class, EndpointSecurity.class);
    }

    /** Starts one whose endpoint may change something. */
    static EndpointBench writing(String... properties) {
        return start(unrestricted(properties));
    }

    /** Starts one with beans of another source. */
    static EndpointBench with(Class<?> source, String... properties) {
        return new EndpointBench(List.of(properties), EndpointApplication.class, EndpointSecurity.class, source);
    }

    /** Starts one that may change something, and leaves it to the properties who may. */
    static EndpointBench withoutSecurity(String... properties) {
        return new EndpointBench(List.of(unrestricted(properties)), EndpointApplication.class);
    }

    private static String[] unrestricted(String... properties) {
        List<String> all = new ArrayList<>(List.of("management.endpoint.idempotency.access=unrestricted"));
        all.addAll(List.of(properties));
        return all.toArray(String[]::new);
    }

    /** Ends the connections to the database, and lets nobody connect again. */
    void cutDatabaseOff() {
        WebServers.cutOff(database);
    }

    /** Keeps messages in quarantine, as a listener does. */
    void quarantine(Quarantined... messages) {
        ClaimStore store = application.getBean("idempotencyTableStore", ClaimStore.class);
        for (Quarantined each : messages) {
            QuarantinedMessage message = each.message();
            store.transactions().inTransaction(() -> {
                store.quarantine(store.claim(List.of(message.delivery())).get(0));
                application.getBean(QuarantineStore.class).save(message);
            });
        }
    }

    /** Sends a record to the listener. */
    void send(int partition, String id, String value) {
        ProducerRecord<String, String> record = new ProducerRecord<>(topic, partition, "key", value);
        record.headers().add("message-id", id.getBytes(UTF_8));
        try {
            producer.send(record).get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits until the listener has committed the offset behind all that was sent. */
    void awaitSettled() {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> committed() == ends());
    }

    private long committed() throws ExecutionException, InterruptedException {
        return admin
                .listConsumerGroupOffsets("billing-" + topic)
                .partitionsToOffsetAndMetadata()
                .get()
                .values()
                .stream()
                .mapToLong(OffsetAndMetadata::offset)
                .sum();
    }

    private long ends() throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> latest = Map.of(
                new TopicPartition(topic, 0), OffsetSpec.latest(), new TopicPartition(topic, 1), OffsetSpec.latest());
        return admin.listOffsets(latest).all().get().values().stream()
                .mapToLong(ListOffsetsResult.ListOffsetsResultInfo::offset)
                .sum();
    }

    ConfigurableApplicationContext application() {
        return application;
    }

    String address() {
        return "http://localhost:" + application.getEnvironment().getProperty("local.management.port")
                + "/actuator/idempotency";
    }

    /** Returns a field of each element of a list. */
    static List<String> texts(JsonNode list, String name) {
        List<String> texts = new ArrayList<>();
        list.forEach(each -> texts.add(each.path(name).asString()));
        return texts;
    }

    /** Returns names and values in turn, out of a text such as {@code id=A-1;reason=INC-42}. */
    static List<String> values(@Nullable String text) {
        return text == null
                ? List.of()
                : Stream.of(text.split(";", -1))
                        .filter(each -> !each.isEmpty())
                        .flatMap(each -> Stream.of(each.split("=", 2)))
                        .toList();
    }

    /** Reads as Ada. The parameters are names and values in turn. */
    Answer get(String view, String... parameters) {
        return send(getAs("ada:a", view, parameters));
    }

    HttpRequest getAs(String user, String view, String... parameters) {
        StringBuilder query = new StringBuilder();
        for (int i = 0; i < parameters.length; i += 2) {
            query.append(i == 0 ? '?' : '&')
                    .append(parameters[i])
                    .append('=')
                    .append(URLEncoder.encode(parameters[i + 1], UTF_8));
        }
        return request(user, view.isEmpty() ? query.toString() : "/" + view + query)
                .GET()
                .build();
    }

    /** Writes as Ada, with the token. */
    Answer post(String act, Map<String, ?> body) {
        return send(postAs("ada:a", act, body).build());
    }

    /** Returns a write with the token. */
    HttpRequest.Builder postAs(String user, String act, Map<String, ?> body) {
        return withToken(postWithoutToken(user, act, body));
    }

    HttpRequest.Builder postWithoutToken(String user, String act, Map<String, ?> body) {
        return request(user, "/" + act)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(JSON.writeValueAsString(body)));
    }

    static HttpRequest.Builder withToken(HttpRequest.Builder request) {
        return request.header("Cookie", "XSRF-TOKEN=" + TOKEN).header("X-XSRF-TOKEN", TOKEN);
    }

    /** @param user name and password; empty for nobody */
    private HttpRequest.Builder request(String user, String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address() + path));
        return user.isEmpty()
                ? request
                : request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(user.getBytes(UTF_8)));
    }

    Answer send(HttpRequest request) {
        try {
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            String body = response.body();
            return new Answer(response.statusCode(), body.startsWith("{") ? JSON.readTree(body) : JSON.nullNode());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        producer.close();
        admin.close();
        SpringApplication.exit(application);
    }
}

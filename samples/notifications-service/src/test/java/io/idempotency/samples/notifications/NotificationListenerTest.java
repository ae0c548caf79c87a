package io.idempotency.samples.notifications;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.test.context.EmbeddedKafka;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The whole service on a real broker, without a database: the store in memory remembers, and a stand-in takes the mails. */
@SpringBootTest(
        properties = {
            "idempotency.store=memory",
            "idempotency.lease=200ms", // nobody waits longer for a consumer that has died
            "spring.autoconfigure.exclude=org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration"
        })
@EmbeddedKafka(partitions = 1, topics = "payments", bootstrapServersProperty = "spring.kafka.bootstrap-servers")
class NotificationListenerTest {

    private static final String PAYMENT = "{\"orderId\":\"%s\",\"customer\":\"anna\",\"cents\":1050}";
    private static final List<String> KEYS = new CopyOnWriteArrayList<>();
    private static final List<String> TEXTS = new CopyOnWriteArrayList<>();
    private static final HttpServer MAILS = mails();

    private static HttpServer mails() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/mails", exchange -> {
                TEXTS.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
                KEYS.add(exchange.getRequestHeaders().getFirst("Idempotency-Key"));
                exchange.sendResponseHeaders(202, -1);
                exchange.close();
            });
            server.start();
            return server;
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @DynamicPropertySource
    static void mails(DynamicPropertyRegistry properties) {
        properties.add(
                "notifications.url",
                () -> "http://" + InetAddress.getLoopbackAddress().getHostAddress() + ":"
                        + MAILS.getAddress().getPort());
    }

    @AfterAll
    static void stop() {
        MAILS.stop(0);
    }

    @Test
    void tellsACustomerOnceOfAPaymentThatIsHeardOfTwice(@Autowired KafkaTemplate<String, String> kafka) {
        String twice = UUID.randomUUID().toString();
        String last = UUID.randomUUID().toString();

        hearOf(twice, kafka);
        hearOf(twice, kafka);
        hearOf(last, kafka);

        // One partition: when the last message was notified, all earlier ones were, too.
        await().atMost(Duration.ofMinutes(1)).until(() -> mailsAbout(last) > 0);
        assertThat(mailsAbout(twice)).isOne();
        assertThat(mailsAbout(last)).isOne();
    }

    private static long mailsAbout(String orderId) {
        return TEXTS.stream().filter(text -> text.contains(orderId)).count();
    }

    /** The call may repeat. The foreign service recognises it by its key, and counts it once. */
    @IdempotencyTest
    void tellsACustomerOnceWhateverFails(FaultKit kit) {
        kit.send("payments", PAYMENT.formatted(kit.id()));
        kit.effects(() -> Set.copyOf(KEYS).size());
    }

    private static void hearOf(String orderId, KafkaTemplate<String, String> kafka) {
        ProducerRecord<String, String> message = new ProducerRecord<>("payments", PAYMENT.formatted(orderId));
        message.headers().add("message-id", orderId.getBytes(StandardCharsets.UTF_8));
        kafka.send(message).join();
    }
}

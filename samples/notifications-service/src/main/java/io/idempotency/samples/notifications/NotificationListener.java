package io.idempotency.samples.notifications;

import io.idempotency.ConsistencyLevel;
import io.idempotency.results.Steps;
import io.idempotency.spring.Idempotent;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.MediaType;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;
import org.springframework.web.client.RestClient;

/**
 * Calls a foreign service, which no transaction covers. The call is a step: once its result is recorded, it is never made again. A crash between the call and the record
 * repeats it, with the same idempotency key, by which the foreign service recognises it. A second call would be a second step.
 */
@Component
class NotificationListener {

    private final Steps steps;
    private final RestClient mails;

    NotificationListener(Steps steps, RestClient.Builder clients, @Value("${notifications.url}") String url) {
        this.steps = steps;
        this.mails = clients.baseUrl(url).build();
    }

    /** The message that is received. */
    record PaymentPosted(UUID orderId, String customer, long cents) {}

    /** The request to the foreign service. */
    record Mail(String to, String text) {}

    @KafkaListener(topics = "payments", groupId = "notifications")
    @Idempotent(value = "notifications", level = ConsistencyLevel.AT_LEAST_ONCE)
    void tell(PaymentPosted payment) {
        steps.ofThread().once("mail", key -> {
            mails.post()
                    .uri("/mails")
                    .header("Idempotency-Key", key)
                    .contentType(MediaType.APPLICATION_JSON)
                    .body(new Mail(payment.customer(), "We got your payment for order " + payment.orderId()))
                    .retrieve()
                    .toBodilessEntity();
        });
    }
}

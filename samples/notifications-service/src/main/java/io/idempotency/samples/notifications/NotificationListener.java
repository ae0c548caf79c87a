package io.idempotency.samples.notifications;

import io.idempotency.ConsistencyLevel;
import io.idempotency.spring.Idempotent;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.MediaType;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.stereotype.Component;
import org.springframework.web.client.RestClient;

/**
 * Calls a foreign service, which no transaction covers. A crash between the call and its record in the store repeats the call. The message id is sent as an
 * idempotency key, by which the foreign service recognises a repeated call.
 */
@Component
class NotificationListener {

    private final RestClient mails;

    NotificationListener(RestClient.Builder clients, @Value("${notifications.url}") String url) {
        this.mails = clients.baseUrl(url).build();
    }

    /** The message that is received. */
    record PaymentPosted(UUID orderId, String customer, long cents) {}

    /** The request to the foreign service. */
    record Mail(String to, String text) {}

    @KafkaListener(topics = "payments", groupId = "notifications")
    @Idempotent(value = "notifications", level = ConsistencyLevel.AT_LEAST_ONCE)
    void tell(PaymentPosted payment, @Header("message-id") String messageId) {
        mails.post()
                .uri("/mails")
                .header("Idempotency-Key", messageId)
                .contentType(MediaType.APPLICATION_JSON)
                .body(new Mail(payment.customer(), "We got your payment for order " + payment.orderId()))
                .retrieve()
                .toBodilessEntity();
    }
}

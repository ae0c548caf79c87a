package io.idempotency.samples.payments;

import io.idempotency.outbox.Outbox;
import io.idempotency.spring.Idempotent;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * Pays each order once. The payment, its message in the outbox and the id of the order's message are one transaction, which
 * {@code @Idempotent} begins and commits.
 */
@Component
class PaymentListener {

    private final Payments payments;
    private final Outbox<String, String> outbox;
    private final JsonMapper json;
    private final long mostCents;

    PaymentListener(
            Payments payments,
            Outbox<String, String> outbox,
            JsonMapper json,
            @Value("${payments.most-cents}") long mostCents) {
        this.payments = payments;
        this.outbox = outbox;
        this.json = json;
        this.mostCents = mostCents;
    }

    /** The message that is received. */
    record OrderPlaced(UUID id, String customer, long cents) {}

    /** The message that is sent. */
    record PaymentPosted(UUID orderId, String customer, long cents) {}

    // tag::payment[]
    @KafkaListener(topics = "orders", groupId = "payments")
    @Idempotent("payments")
    void pay(OrderPlaced order) {
        if (order.cents() > mostCents) {
            throw new PaymentRefusedException("Order %s has %d cents, and payments.most-cents is %d"
                    .formatted(order.id(), order.cents(), mostCents));
        }
        payments.save(new Payment(order.id(), order.cents()));
        PaymentPosted posted = new PaymentPosted(order.id(), order.customer(), order.cents());
        outbox.send("payments", order.customer(), json.writeValueAsString(posted));
    }
    // end::payment[]
}

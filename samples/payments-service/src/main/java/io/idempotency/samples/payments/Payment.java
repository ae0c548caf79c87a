package io.idempotency.samples.payments;

import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A payment. No constraint prevents a second payment of an order: {@code @Idempotent} does. */
@Entity
class Payment {

    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private @Nullable Long id;

    private UUID orderId;
    private long cents;

    @SuppressWarnings("NullAway.Init") // Hibernate sets the fields
    protected Payment() {}

    Payment(UUID orderId, long cents) {
        this.orderId = orderId;
        this.cents = cents;
    }

    UUID orderId() {
        return orderId;
    }

    long cents() {
        return cents;
    }
}

package io.idempotency.samples.orders;

import java.util.Objects;
import java.util.UUID;

/**
 * An order, as a client sends it and as other services receive it.
 *
 * @param id chosen by the client, so that it can repeat a request without an answer
 */
record Order(UUID id, String customer, long cents) {

    Order {
        Objects.requireNonNull(id, "an order needs an id");
        Objects.requireNonNull(customer, "an order needs a customer");
    }
}

package io.idempotency.samples.orders;

import java.util.Objects;
import java.util.UUID;

/**
 * An order, as a client sends it, and as other services hear of it.
 *
 * @param id chosen by the client, so that it can ask again when it got no answer
 */
record Order(UUID id, String customer, long cents) {

    Order {
        Objects.requireNonNull(id, "an order needs an id");
        Objects.requireNonNull(customer, "an order needs a customer");
    }
}

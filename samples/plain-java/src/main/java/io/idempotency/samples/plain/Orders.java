package io.idempotency.samples.plain;

// tag::order[]
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.jdbc.TableStore;
import java.util.Optional;
// end::order[]

/** Consumes messages that do not come from Kafka: orders that arrive by HTTP, perhaps twice. */
final class Orders {

    record Order(String id, String payment) {}

    private Orders() {}

    static Outcome bill(Order order, TableStore store, Ledger ledger) {
        // tag::order[]
        IdempotentConsumer<Order> orders = IdempotentConsumer.<Order>named("order-billing")
                .store(store)
                .messageId(message -> Optional.of(message.id()))
                .build();

        Outcome outcome = orders.consume(order, (message, claim) -> ledger.post(message.payment()));
        // end::order[]
        return outcome;
    }
}

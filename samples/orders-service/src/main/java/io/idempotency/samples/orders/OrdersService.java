package io.idempotency.samples.orders;

import io.idempotency.samples.outbox.Outbox;
import io.idempotency.samples.outbox.OutboxRelay;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Import;

/** Accepts orders over HTTP, each once however often it is requested, and sends a message for each. May run on several nodes. */
@SpringBootApplication
@Import({Outbox.class, OutboxRelay.class})
public class OrdersService {

    /** Runs the service. */
    public static void main(String[] args) {
        SpringApplication.run(OrdersService.class, args);
    }
}

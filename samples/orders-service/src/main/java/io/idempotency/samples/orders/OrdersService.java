package io.idempotency.samples.orders;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Accepts orders over HTTP, each once however often it is requested, and sends a message for each. May run on several nodes. */
@SpringBootApplication
public class OrdersService {

    /** Runs the service. */
    public static void main(String[] args) {
        SpringApplication.run(OrdersService.class, args);
    }
}

package io.idempotency.samples.api;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.results.AnsweringConsumer;
import io.idempotency.results.ResultCodec;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.ResultStore;
import java.util.Optional;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Takes payments over HTTP, each once however often it is requested, and answers all requests of a payment alike. May run on several nodes. */
@SpringBootApplication
public class PaymentsApi {

    /** Runs the service. */
    public static void main(String[] args) {
        SpringApplication.run(PaymentsApi.class, args);
    }

    @Bean
    AnsweringConsumer<PaymentRequest, Receipt> answering(ClaimStore store, ResultStore results, ResultCodec json) {
        IdempotentConsumer<PaymentRequest> consumer = IdempotentConsumer.<PaymentRequest>named("payments-api")
                .store(store)
                .messageId(request -> Optional.of(request.key()))
                .failures(FailurePolicy.leaveToCaller())
                .build();
        return AnsweringConsumer.of(consumer, results, json, Receipt.class).fingerprint(PaymentRequest::body);
    }
}

package io.idempotency.samples.payments;

import io.idempotency.spring.QuarantineRecoverer;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.converter.RecordMessageConverter;
import org.springframework.kafka.support.converter.StringJacksonJsonMessageConverter;
import org.springframework.util.backoff.ExponentialBackOff;

/** Pays orders, each once. May run on several nodes. */
@SpringBootApplication
public class PaymentsService {

    /** Runs the service. */
    public static void main(String[] args) {
        SpringApplication.run(PaymentsService.class, args);
    }

    /** Turns the JSON of a message into the parameter of the listener. */
    @Bean
    RecordMessageConverter json() {
        return new StringJacksonJsonMessageConverter();
    }

    /** Retries a failing message for a while, then quarantines it. A refused payment is quarantined at once. */
    @Bean
    DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
        ExponentialBackOff backOff = new ExponentialBackOff(100, 2);
        backOff.setMaxAttempts(5);
        DefaultErrorHandler errors = new DefaultErrorHandler(quarantine, backOff);
        errors.addNotRetryableExceptions(PaymentRefusedException.class);
        return errors;
    }
}

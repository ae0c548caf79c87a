package io.idempotency.samples.ledger;

import io.idempotency.spring.QuarantineRecoverer;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.ExponentialBackOff;

/** Posts payments in batches, each payment once. May run on several nodes. */
@SpringBootApplication
public class LedgerService {

    /** Runs the service. */
    public static void main(String[] args) {
        SpringApplication.run(LedgerService.class, args);
    }

    /** Retries a failing message alone for a while, then quarantines it. The others of its batch are posted. */
    @Bean
    DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
        ExponentialBackOff backOff = new ExponentialBackOff(100, 2);
        backOff.setMaxAttempts(5);
        return new DefaultErrorHandler(quarantine, backOff);
    }
}

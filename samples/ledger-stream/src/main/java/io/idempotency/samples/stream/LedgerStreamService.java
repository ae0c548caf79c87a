package io.idempotency.samples.stream;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Adds up payments by account, each payment once. */
@SpringBootApplication
public class LedgerStreamService {

    /** Runs the service. */
    public static void main(String[] args) {
        SpringApplication.run(LedgerStreamService.class, args);
    }
}

package io.idempotency.samples.rough;

import io.idempotency.spring.QuarantineRecoverer;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** A service with rough handlers. It ends with the process that started it. */
@SpringBootApplication
public class RoughService {

    private static final long BACK_OFF_MILLIS = 50;
    private static final int RETRIES = 3;

    /** Runs the service. */
    public static void main(String[] args) {
        ProcessHandle.current().parent().ifPresent(parent -> {
            var unused = parent.onExit().thenRun(() -> Runtime.getRuntime().halt(1));
        });
        SpringApplication.run(RoughService.class, args);
    }

    @Bean
    DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
        return new DefaultErrorHandler(quarantine, new FixedBackOff(BACK_OFF_MILLIS, RETRIES));
    }
}

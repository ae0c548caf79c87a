package io.idempotency.samples.notifications;

import io.idempotency.spring.QuarantineRecoverer;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.converter.RecordMessageConverter;
import org.springframework.kafka.support.converter.StringJacksonJsonMessageConverter;
import org.springframework.util.backoff.ExponentialBackOff;

/** Notifies customers of their payments by a foreign service. May run on several nodes. */
@SpringBootApplication
public class NotificationsService {

    /** Runs the service. */
    public static void main(String[] args) {
        SpringApplication.run(NotificationsService.class, args);
    }

    /** Turns the JSON of a message into the parameter of the listener. */
    @Bean
    RecordMessageConverter json() {
        return new StringJacksonJsonMessageConverter();
    }

    /** Retries a failing call for a while, then quarantines the message. */
    @Bean
    DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
        ExponentialBackOff backOff = new ExponentialBackOff(100, 2);
        backOff.setMaxAttempts(5);
        return new DefaultErrorHandler(quarantine, backOff);
    }
}

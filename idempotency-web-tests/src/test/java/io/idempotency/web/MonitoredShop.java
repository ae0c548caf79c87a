package io.idempotency.web;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Standstills;
import io.idempotency.spring.Idempotent;
import io.idempotency.spring.QuarantineRecoverer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.util.backoff.FixedBackOff;

/** An application with a listener of each kind that has meters of its own. Everybody may scrape it. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class MonitoredShop {

    /** What handlers do with a value, and the clock of standstills. */
    static final class Script {

        final Map<String, Runnable> acts = new ConcurrentHashMap<>();
        private final AtomicLong nanosAhead = new AtomicLong();

        void handle(ConsumerRecord<String, String> record) {
            acts.getOrDefault(record.value(), () -> {}).run();
        }

        /** Lets what stands still do so for this long, without waiting. */
        void passTime(Duration time) {
            nanosAhead.addAndGet(time.toNanos());
        }
    }

    static final class Listeners {

        private final Script script;

        Listeners(Script script) {
            this.script = script;
        }

        @KafkaListener(id = "billing", groupId = "${topic}.billing", topics = "${topic}-billing")
        @Idempotent("billing")
        void bill(ConsumerRecord<String, String> record) {
            script.handle(record);
        }

        @KafkaListener(id = "mails", groupId = "${topic}.mails", topics = "${topic}-mails")
        @Idempotent(value = "mails", level = ConsistencyLevel.AT_LEAST_ONCE)
        void mail(ConsumerRecord<String, String> record) {
            script.handle(record);
        }

        @KafkaListener(id = "ledger", groupId = "${topic}.ledger", topics = "${topic}-ledger", batch = "true")
        @Idempotent(value = "ledger", store = "journal")
        void post(List<ConsumerRecord<String, String>> records) {
            records.forEach(script::handle);
        }

        @KafkaListener(id = "watched", groupId = "${topic}.watched", topics = "${topic}-watched")
        @Idempotent(value = "watched", shadow = true)
        void watch(ConsumerRecord<String, String> record) {
            script.handle(record);
        }
    }

    @Bean
    Script script() {
        return new Script();
    }

    @Bean
    Listeners listeners(Script script) {
        return new Listeners(script);
    }

    @Bean
    Standstills standstills(Script script) {
        return new Standstills(() -> System.nanoTime() + script.nanosAhead.get(), InstantSource.system());
    }

    /** Fails at once, so that a test does not wait for the attempts. */
    @Bean
    DefaultErrorHandler errors(QuarantineRecoverer recoverer) {
        return new DefaultErrorHandler(recoverer, new FixedBackOff(0, 0));
    }

    @Bean
    SecurityFilterChain everybody(HttpSecurity http) {
        return http.authorizeHttpRequests(each -> each.anyRequest().permitAll()).build();
    }
}

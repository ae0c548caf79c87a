package io.idempotency.web;

import io.idempotency.spring.Idempotent;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.csrf.CookieCsrfTokenRepository;
import org.springframework.security.web.csrf.CsrfTokenRequestAttributeHandler;
import org.springframework.util.backoff.FixedBackOff;

/** An application with a listener that fails at the values it is told. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class EndpointApplication {

    /** Values at which the listener fails. */
    static final Set<String> POISON = ConcurrentHashMap.newKeySet();

    static class Billing {

        @KafkaListener(id = "billing", topics = "${topic}")
        @Idempotent("billing")
        void charge(String order) {
            if (POISON.contains(order)) {
                throw new IllegalStateException("no such account");
            }
        }
    }

    @Bean
    Billing billing() {
        return new Billing();
    }

    /** Fails at once, so that a test does not wait for the attempts. */
    @Bean
    DefaultErrorHandler errorHandler(io.idempotency.spring.QuarantineRecoverer recoverer) {
        return new DefaultErrorHandler(recoverer, new FixedBackOff(0, 0));
    }

    /** Ada may write, and Bob may read. Everybody has to log in, and a write needs the token against forged requests. */
    @Configuration(proxyBeanMethods = false)
    static class Security {

        @Bean
        UserDetailsService users() {
            return new InMemoryUserDetailsManager(
                    User.withUsername("ada").password("{noop}a").roles("ADMIN").build(),
                    User.withUsername("bob").password("{noop}b").roles("USER").build());
        }

        @Bean
        SecurityFilterChain chain(HttpSecurity http) {
            return http.authorizeHttpRequests(each -> each.anyRequest().authenticated())
                    .httpBasic(Customizer.withDefaults())
                    .csrf(each -> each.csrfTokenRepository(CookieCsrfTokenRepository.withHttpOnlyFalse())
                            .csrfTokenRequestHandler(new CsrfTokenRequestAttributeHandler()))
                    .build();
        }
    }
}

package io.idempotency.faultkit.ledger;

import io.idempotency.spring.Idempotent;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.PropertySource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;

/** The application of the quick start. */
@SpringBootApplication
@PropertySource("classpath:ledger.properties")
class LedgerApplication {

    @Bean
    static Ledger ledger(JdbcTemplate jdbc) {
        return new Ledger(jdbc);
    }

    static final class Ledger {

        private final JdbcTemplate jdbc;

        Ledger(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
            jdbc.execute("create table posting (payment varchar(100))");
        }

        @KafkaListener(topics = "payments", groupId = "ledger")
        @Idempotent("billing")
        void post(String payment) {
            jdbc.update("insert into posting values (?)", payment);
        }
    }
}

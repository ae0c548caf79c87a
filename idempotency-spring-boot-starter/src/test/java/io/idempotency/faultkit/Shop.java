package io.idempotency.faultkit;

import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.SequenceGenerator;
import jakarta.persistence.Table;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** An application whose listeners charge orders, by rows of one table. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class Shop {

    @Bean
    static Charges charges(JdbcTemplate jdbc) {
        return new Charges(jdbc);
    }

    @Bean
    static OwnTransaction ownTransaction(Charges charges) {
        return new OwnTransaction(charges);
    }

    /** Writes the effects. */
    static class Charges {

        private final JdbcTemplate jdbc;

        Charges(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
            jdbc.execute("create sequence if not exists charge_number");
            jdbc.execute(
                    "create table if not exists charge (number bigint default 0, listener varchar(40), message varchar(100))");
            jdbc.execute("create table if not exists charge_once (message varchar(100) primary key)");
        }

        void charge(String listener, String message) {
            jdbc.update("insert into charge (listener, message) values (?, ?)", listener, message);
        }

        void chargeOnce(String message) {
            jdbc.update(
                    "insert into charge_once select ? where not exists (select * from charge_once where message = ?)",
                    message,
                    message);
        }

        DataSource dataSource() {
            return Objects.requireNonNull(jdbc.getDataSource());
        }
    }

    /** Commits by itself. */
    static class OwnTransaction {

        private final Charges charges;

        OwnTransaction(Charges charges) {
            this.charges = charges;
        }

        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public void charge(String listener, String message) {
            charges.charge(listener, message);
        }
    }

    /** An effect as an entity. Hibernate writes it at the end of the transaction. */
    @Entity
    @Table(name = "charge")
    static class Charge {

        @Id
        @GeneratedValue(strategy = GenerationType.SEQUENCE, generator = "charge")
        @SequenceGenerator(name = "charge", sequenceName = "charge_number", allocationSize = 1)
        @Nullable
        Long number;

        String listener;
        String message;

        @SuppressWarnings("NullAway.Init") // Hibernate sets the fields
        Charge() {}

        Charge(String listener, String message) {
            this.listener = listener;
            this.message = message;
        }
    }
}

package io.idempotency.spring;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** The application around a listener: its effects are rows, and it fails where a test wants it to. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class Effects {

    @Bean
    Ledger ledger(JdbcTemplate jdbc) {
        return new Ledger(jdbc);
    }

    /** What listeners do. */
    static final class Ledger implements InitializingBean {

        final List<String> calls = new CopyOnWriteArrayList<>();
        final Map<String, RuntimeException> failing = new ConcurrentHashMap<>();
        private final JdbcTemplate jdbc;

        Ledger(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        public void afterPropertiesSet() {
            jdbc.execute("create table if not exists effect (number bigserial, value varchar(100))");
        }

        void post(String value) {
            calls.add(value);
            jdbc.update("insert into effect (value) values (?)", value);
            RuntimeException failure = failing.get(value);
            if (failure != null) {
                throw failure;
            }
        }
    }
}

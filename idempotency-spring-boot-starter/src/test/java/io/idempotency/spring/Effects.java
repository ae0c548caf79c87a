package io.idempotency.spring;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** The application around a listener: its effects are rows, and it fails where a test wants it to. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class Effects {

    @Bean
    Ledger ledger(JdbcTemplate jdbc) {
        return new Ledger(jdbc);
    }

    @Bean
    Consumptions consumptions() {
        return new Consumptions();
    }

    /** What the library reported. */
    static final class Consumptions implements ConsumptionListener {

        final List<Consumption> all = new CopyOnWriteArrayList<>();

        @Override
        public void onConsumption(Consumption consumption) {
            all.add(consumption);
        }
    }

    /** What listeners do. A value stands for a message, so tests that share an application use values of their own. */
    static final class Ledger implements InitializingBean {

        final List<String> calls = new CopyOnWriteArrayList<>();
        final Map<String, String> threads = new ConcurrentHashMap<>();
        private final Map<String, Runnable> then = new ConcurrentHashMap<>();
        private final JdbcTemplate jdbc;

        Ledger(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        public void afterPropertiesSet() {
            if (isMariaDb()) {
                jdbc.execute(
                        "create table if not exists effect (number bigint auto_increment primary key, value varchar(100))");
                return;
            }
            jdbc.execute("create table if not exists effect (number bigserial, value varchar(100))");
            jdbc.execute("create table if not exists refused (value varchar(100))");
            jdbc.execute("""
                    create or replace function refuse() returns trigger language plpgsql as $$
                    begin
                      if exists (select from refused where value = new.value) then
                        raise exception '% is refused', new.value;
                      end if;
                      return null;
                    end $$""");
            jdbc.execute("drop trigger if exists refusal on effect");
            jdbc.execute("""
                    create constraint trigger refusal after insert on effect deferrable initially deferred
                    for each row execute function refuse()""");
        }

        private boolean isMariaDb() {
            return Objects.requireNonNull(jdbc.execute((ConnectionCallback<String>)
                            connection -> connection.getMetaData().getURL()))
                    .startsWith("jdbc:mariadb:");
        }

        void post(String value) {
            calls.add(value);
            jdbc.update("insert into effect (value) values (?)", value);
            then.getOrDefault(value, () -> {}).run();
        }

        /** Posts the value with what the transaction around it is like. */
        void postTransaction(String value) {
            Object held = TransactionSynchronizationManager.getResource(Objects.requireNonNull(jdbc.getDataSource()));
            boolean isTimed = held instanceof ConnectionHolder holder && holder.hasTimeout();
            post(value + " " + jdbc.queryForObject("show transaction_isolation", String.class)
                    + (isTimed ? " with a timeout" : ""));
        }

        void then(String value, Runnable next) {
            then.put(value, next);
        }

        /** Fails whenever the value comes. */
        void fail(String value, Supplier<? extends RuntimeException> failure) {
            then.put(value, () -> {
                throw failure.get();
            });
        }

        /** Fails the first few times. */
        void fail(String value, int times, Supplier<? extends RuntimeException> failure) {
            AtomicInteger left = new AtomicInteger(times);
            then.put(value, () -> {
                if (left.getAndDecrement() > 0) {
                    throw failure.get();
                }
            });
        }

        /** Lets nothing that has the effect of this value commit: the database refuses it at the end of the transaction. */
        void refuseCommitOf(String value) {
            jdbc.update("insert into refused (value) values (?)", value);
        }

        /** Lets the first transaction that has the effect of this value not commit. */
        void refuseFirstCommitOf(String value) {
            refuseCommitOf(value);
            then(value, () -> {
                if (callsOf(value) > 1) {
                    allowCommitOf(value);
                }
            });
        }

        void allowCommitOf(String value) {
            jdbc.update("delete from refused where value = ?", value);
        }

        /** Keeps the first call for the value inside the listener until the latch is open. */
        CountDownLatch hold(String value) {
            CountDownLatch open = new CountDownLatch(1);
            then.put(value, () -> {
                try {
                    if (!open.await(ListenerBench.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                        throw new IllegalStateException("Nobody let " + value + " go");
                    }
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            return open;
        }

        long callsOf(String value) {
            return calls.stream().filter(value::equals).count();
        }
    }
}

package io.idempotency.spring;

import io.idempotency.ConsumptionListener;
import io.idempotency.TransactionPer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Prints what it costs that outputs are awaited, as part of {@link StarterMeasurement}: listeners that write a row and send one output, by a
 * template that nobody waits for, by one that the starter waits for, and with a {@code get()} by hand.
 */
final class OutputMeasurement {

    private static final int RECORDS = 4_000;
    private static final int RUNS = 5;
    private static final List<String> LISTENERS =
            List.of("record-ignored", "record-default", "record-get", "poll-ignored", "poll-default", "poll-get");
    private static volatile CountDownLatch left = new CountDownLatch(0);
    private static volatile long begun;

    private OutputMeasurement() {}

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Listeners {

        private final JdbcTemplate jdbc;
        private final String output;
        private final KafkaTemplate<Object, Object> awaited;
        /** Neither it nor its factory is a bean, so nobody notes what it sends. */
        private final KafkaTemplate<String, String> ignored = new KafkaTemplate<>(new DefaultKafkaProducerFactory<>(
                Map.of("bootstrap.servers", TestServers.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer()));

        Listeners(JdbcTemplate jdbc, KafkaTemplate<Object, Object> awaited, @Value("${topic}-out") String output) {
            this.jdbc = jdbc;
            this.awaited = awaited;
            this.output = output;
            jdbc.execute("create table if not exists effect (value varchar(300))");
        }

        @Bean
        static ConsumptionListener counter() {
            return consumption -> left.countDown();
        }

        private void post(String value) {
            begun = begun == 0 ? System.nanoTime() : begun;
            jdbc.update("insert into effect (value) values (?)", value);
        }

        private void ignore(String value) {
            post(value);
            CompletableFuture<?> unused = ignored.send(output, value);
        }

        private void send(String value) {
            post(value);
            CompletableFuture<?> unused = awaited.send(output, value);
        }

        private void get(String value) {
            post(value);
            awaited.send(output, value).join();
        }

        @KafkaListener(id = "record-ignored", topics = "${topic}-record-ignored", autoStartup = "false")
        @Idempotent("record-ignored")
        void recordIgnored(String value) {
            ignore(value);
        }

        @KafkaListener(id = "record-default", topics = "${topic}-record-default", autoStartup = "false")
        @Idempotent("record-default")
        void recordDefault(String value) {
            send(value);
        }

        @KafkaListener(id = "record-get", topics = "${topic}-record-get", autoStartup = "false")
        @Idempotent("record-get")
        void recordGet(String value) {
            get(value);
        }

        @KafkaListener(id = "poll-ignored", topics = "${topic}-poll-ignored", autoStartup = "false")
        @Idempotent(value = "poll-ignored", transactionPer = TransactionPer.POLL)
        void pollIgnored(String value) {
            ignore(value);
        }

        @KafkaListener(id = "poll-default", topics = "${topic}-poll-default", autoStartup = "false")
        @Idempotent(value = "poll-default", transactionPer = TransactionPer.POLL)
        void pollDefault(String value) {
            send(value);
        }

        @KafkaListener(id = "poll-get", topics = "${topic}-poll-get", autoStartup = "false")
        @Idempotent(value = "poll-get", transactionPer = TransactionPer.POLL)
        void pollGet(String value) {
            get(value);
        }
    }

    static void print() throws InterruptedException {
        String topic = TestServers.name();
        Map<String, List<Double>> rates = new LinkedHashMap<>();
        for (String listener : LISTENERS) {
            TestServers.createTopic(topic + "-" + listener);
        }
        TestServers.createTopic(topic + "-out");
        try (ConfigurableApplicationContext application = application(topic).run()) {
            for (int run = 0; run <= RUNS; run++) {
                for (String listener : LISTENERS) {
                    double rate = rate(application, topic, listener, run);
                    if (run > 0) {
                        rates.computeIfAbsent(listener, key -> new ArrayList<>())
                                .add(rate);
                    }
                }
            }
        }
        for (String per : List.of("record", "poll")) {
            Map<String, List<Double>> some = new LinkedHashMap<>(rates);
            some.keySet().removeIf(listener -> !listener.startsWith(per));
            StarterMeasurement.print(
                    "a row, an output and a transaction per " + per + ", records/s, more is better",
                    RUNS,
                    some,
                    per + "-ignored");
        }
    }

    private static SpringApplicationBuilder application(String topic) {
        return new SpringApplicationBuilder(Listeners.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.main.banner-mode=off",
                        "spring.kafka.bootstrap-servers=" + TestServers.bootstrapServers(),
                        "spring.kafka.consumer.auto-offset-reset=earliest",
                        "spring.datasource.url=" + TestServers.database(),
                        "spring.flyway.enabled=false",
                        "spring.autoconfigure.exclude="
                                + "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration,"
                                + "org.springframework.boot.data.jpa.autoconfigure.DataJpaRepositoriesAutoConfiguration",
                        "idempotency.schema.mode=always",
                        "idempotency.cache.size=0",
                        "topic=" + topic);
    }

    /** From the first call of the listener to the last commit. */
    private static double rate(ConfigurableApplicationContext application, String topic, String listener, int run)
            throws InterruptedException {
        MessageListenerContainer container = Objects.requireNonNull(
                application.getBean(KafkaListenerEndpointRegistry.class).getListenerContainer(listener));
        // Waiting by hand takes long enough with fewer.
        int records = listener.endsWith("get") ? RECORDS / 4 : RECORDS;
        StarterMeasurement.fill(topic + "-" + listener, run * RECORDS, records);
        begun = 0;
        left = new CountDownLatch(records);
        container.start();
        if (!left.await(5, TimeUnit.MINUTES)) {
            throw new IllegalStateException(listener + " did not come to its end");
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        container.stop();
        return records / seconds;
    }
}

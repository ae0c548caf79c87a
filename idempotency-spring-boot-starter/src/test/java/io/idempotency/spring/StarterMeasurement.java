package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.ConsumptionListener;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Prints what the wrapper costs per record and at start-up, as ratios in one run: {@code mvn -Pmeasure}. Each contestant reads the same
 * topic with a container of its own, interleaved; medians.
 */
final class StarterMeasurement {

    private static final int RECORDS = 200_000;
    private static final int RUNS = 7;
    private static volatile CountDownLatch left = new CountDownLatch(0);

    private StarterMeasurement() {}

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Listeners {

        @KafkaListener(id = "bare", topics = "${topic}", autoStartup = "false", idIsGroup = false)
        void bare(String order) {
            left.countDown();
        }

        @KafkaListener(id = "none", topics = "${topic}", autoStartup = "false", idIsGroup = false)
        @Idempotent(value = "none", level = ConsistencyLevel.NONE)
        void none(String order) {
            left.countDown();
        }

        @KafkaListener(id = "duplicates", topics = "${topic}", autoStartup = "false", idIsGroup = false)
        @Idempotent("duplicates")
        void duplicates(String order) {}

        @Bean
        static ConsumptionListener counter() {
            return consumption -> {
                if (consumption.delivery().id().consumer().equals("duplicates")) {
                    left.countDown();
                }
            };
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        String topic = TestServers.name();
        TestServers.createTopic(topic);
        fill(topic, 0, RECORDS);
        Map<String, List<Double>> rates = new LinkedHashMap<>();
        try (ConfigurableApplicationContext application = application(topic).run()) {
            for (int run = 0; run <= RUNS; run++) {
                for (String listener : List.of("bare", "none", "duplicates")) {
                    double rate = rate(application, listener, run);
                    // The first run warms up, and makes every message a duplicate in the cache.
                    if (run > 0) {
                        rates.computeIfAbsent(listener, key -> new ArrayList<>())
                                .add(rate);
                    }
                }
            }
        }
        print("record listener on a broker, records/s, more is better", RUNS, rates, "bare");
        Map<String, List<Double>> starts = new LinkedHashMap<>();
        for (int run = 0; run <= RUNS; run++) {
            double without = seconds(application(topic)
                    .properties("spring.autoconfigure.exclude=" + IdempotencyAutoConfiguration.class.getName()));
            double with = seconds(application(topic));
            if (run > 0) {
                starts.computeIfAbsent("without", key -> new ArrayList<>()).add(without);
                starts.computeIfAbsent("with", key -> new ArrayList<>()).add(with);
            }
        }
        print("start of an application, seconds, less is better", RUNS, starts, "without");
        OutputMeasurement.print();
        System.exit(0);
    }

    private static SpringApplicationBuilder application(String topic) {
        return new SpringApplicationBuilder(Listeners.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.main.banner-mode=off",
                        "spring.kafka.bootstrap-servers=" + TestServers.bootstrapServers(),
                        "spring.kafka.consumer.auto-offset-reset=earliest",
                        "spring.datasource.url=jdbc:h2:mem:measure;DB_CLOSE_DELAY=-1",
                        "idempotency.store=memory",
                        "idempotency.cache.size=" + 2 * RECORDS,
                        "topic=" + topic);
    }

    static void fill(String topic, int from, int records) {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        TestServers.bootstrapServers(),
                        "linger.ms",
                        "20",
                        "max.in.flight.requests.per.connection",
                        "1"),
                new StringSerializer(),
                new StringSerializer())) {
            for (int i = from; i < from + records; i++) {
                ProducerRecord<String, String> record = new ProducerRecord<>(topic, "key-" + i % 100, "x".repeat(200));
                record.headers().add("message-id", ("id-" + i).getBytes(StandardCharsets.UTF_8));
                Future<?> unused = producer.send(record, (metadata, failure) -> {
                    if (failure != null) {
                        throw new IllegalStateException(failure);
                    }
                });
            }
        }
    }

    private static double rate(ConfigurableApplicationContext application, String listener, int run)
            throws InterruptedException {
        MessageListenerContainer container = Objects.requireNonNull(
                application.getBean(KafkaListenerEndpointRegistry.class).getListenerContainer(listener));
        container.getContainerProperties().setGroupId(listener + "-" + run);
        left = new CountDownLatch(RECORDS);
        long start = System.nanoTime();
        container.start();
        if (!left.await(5, TimeUnit.MINUTES)) {
            throw new IllegalStateException(listener + " did not come to its end");
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        container.stop();
        return RECORDS / seconds;
    }

    private static double seconds(SpringApplicationBuilder application) {
        long start = System.nanoTime();
        application.run().close();
        return (System.nanoTime() - start) / 1e9;
    }

    static void print(String title, int runs, Map<String, List<Double>> all, String base) {
        System.out.printf("%n%s, medians of %d runs%n", title, runs);
        all.forEach((name, values) -> System.out.printf(
                "  %-14s %,12.2f  ratio %.2f  (%,.2f to %,.2f)%n",
                name,
                median(values),
                median(values) / median(Objects.requireNonNull(all.get(base))),
                values.stream().mapToDouble(value -> value).min().orElse(0),
                values.stream().mapToDouble(value -> value).max().orElse(0)));
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
    }
}

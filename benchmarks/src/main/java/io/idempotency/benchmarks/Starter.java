package io.idempotency.benchmarks;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.TransactionPer;
import io.idempotency.benchmarks.Library.Handler;
import io.idempotency.spring.Idempotent;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.annotation.KafkaListener;

/** This library by its starter: each round runs a Spring Boot application of its own. */
final class Starter implements Rounds {

    private static final int CHECK_EVERY_MILLIS = 5;

    private final String broker;
    private final String database;
    private final boolean isJournal;
    private final boolean isMetered;
    private final Class<?> listener;

    /** @param isMetered whether the application has a registry of meters, and health */
    Starter(String broker, String database, boolean isJournal, Handler handler, boolean isMetered) {
        this.broker = broker;
        this.database = database;
        this.isJournal = isJournal;
        this.isMetered = isMetered;
        this.listener = switch (handler) {
            case BATCH -> BatchListener.class;
            case POLL -> PollListener.class;
            case RECORD -> RecordListener.class;
        };
    }

    @Override
    public Outcome run(Round round) throws Exception {
        try (ConfigurableApplicationContext application = application(round).run()) {
            Clock clock = application.getBean(Clock.class);
            while (!clock.isOver(round)) {
                TimeUnit.MILLISECONDS.sleep(CHECK_EVERY_MILLIS);
            }
            application.stop();
            return clock.outcome();
        }
    }

    private SpringApplicationBuilder application(Round round) {
        String bytes = ByteArrayDeserializer.class.getName();
        return new SpringApplicationBuilder(isMetered ? Metered.class : Listening.class, listener)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.main.banner-mode=off",
                        "spring.datasource.url=" + database,
                        "spring.kafka.bootstrap-servers=" + broker,
                        "spring.kafka.consumer.auto-offset-reset=earliest",
                        "spring.kafka.consumer.key-deserializer=" + bytes,
                        "spring.kafka.consumer.value-deserializer=" + bytes,
                        "spring.kafka.consumer.max-poll-records=" + round.poll(),
                        "idempotency.store=" + (isJournal ? "journal" : "table"),
                        "management.health.idempotency.enabled=" + isMetered,
                        "topic=" + round.topic(),
                        "group=" + UUID.randomUUID());
    }

    /** Counts messages as they are committed. */
    static final class Clock implements ConsumptionListener {

        private volatile long began;
        private volatile long last;
        private volatile long messages;

        /** Starts with the first call of the listener. */
        void start() {
            if (began == 0) {
                began = System.nanoTime();
            }
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate") // one thread consumes
        public void onConsumption(Consumption consumption) {
            messages++;
            last = System.nanoTime();
        }

        boolean isOver(Round round) {
            return messages >= round.messages() || (began != 0 && System.nanoTime() - began > round.seconds() * 1e9);
        }

        Outcome outcome() {
            return Outcome.of(messages, (last - began) / 1e9, 0);
        }
    }

    /** The configuration of the application besides its listener. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Listening {

        @Bean
        static Clock clock() {
            return new Clock();
        }

        @Bean
        Effects effects(DataSource dataSource) {
            return new Effects(dataSource);
        }
    }

    /** The same with the registry that a scrape reads. Nobody scrapes it. */
    @Configuration(proxyBeanMethods = false)
    @Import(Listening.class)
    static class Metered {

        @Bean
        MeterRegistry meters() {
            return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        }
    }

    static class BatchListener {

        private final Effects effects;
        private final Clock clock;

        BatchListener(Effects effects, Clock clock) {
            this.effects = effects;
            this.clock = clock;
        }

        @KafkaListener(groupId = "${group}", topics = "${topic}", batch = "true")
        @Idempotent(Library.CONSUMER)
        void all(List<ConsumerRecord<byte[], byte[]>> messages) {
            clock.start();
            effects.all(messages);
        }
    }

    static class PollListener {

        private final Effects effects;
        private final Clock clock;

        PollListener(Effects effects, Clock clock) {
            this.effects = effects;
            this.clock = clock;
        }

        @KafkaListener(groupId = "${group}", topics = "${topic}")
        @Idempotent(value = Library.CONSUMER, transactionPer = TransactionPer.POLL)
        void one(ConsumerRecord<byte[], byte[]> message) {
            clock.start();
            effects.one(message);
        }
    }

    static class RecordListener {

        private final Effects effects;
        private final Clock clock;

        RecordListener(Effects effects, Clock clock) {
            this.effects = effects;
            this.clock = clock;
        }

        @KafkaListener(groupId = "${group}", topics = "${topic}")
        @Idempotent(Library.CONSUMER)
        void one(ConsumerRecord<byte[], byte[]> message) {
            clock.start();
            effects.one(message);
        }
    }
}

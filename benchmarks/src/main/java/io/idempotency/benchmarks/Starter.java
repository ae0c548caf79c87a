package io.idempotency.benchmarks;

import io.idempotency.TransactionPer;
import io.idempotency.benchmarks.Application.Clock;
import io.idempotency.benchmarks.Library.Handler;
import io.idempotency.spring.Idempotent;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;

/** This library by its starter. */
final class Starter {

    private Starter() {}

    /** @param isMetered whether the application has a registry of meters, and health */
    static Rounds rounds(String broker, String database, boolean isJournal, Handler handler, boolean isMetered) {
        List<Class<?>> sources = new ArrayList<>();
        sources.add(
                switch (handler) {
                    case BATCH -> BatchListener.class;
                    case POLL -> PollListener.class;
                    case RECORD -> RecordListener.class;
                });
        if (isMetered) {
            sources.add(Metered.class);
        }
        return new Application(
                broker,
                database,
                sources,
                List.of(
                        "idempotency.store=" + (isJournal ? "journal" : "table"),
                        "management.health.idempotency.enabled=" + isMetered));
    }

    /** The registry that a scrape reads. Nobody scrapes it. */
    @Configuration(proxyBeanMethods = false)
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
            clock.count(messages.size());
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
            clock.count(1);
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
            clock.count(1);
        }
    }
}

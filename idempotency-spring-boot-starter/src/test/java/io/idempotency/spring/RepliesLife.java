package io.idempotency.spring;

import io.idempotency.FailurePolicy;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.results.AnsweringConsumer;
import io.idempotency.results.ResultCodec;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.ResultStore;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.messaging.handler.annotation.SendTo;
import org.springframework.util.backoff.FixedBackOff;

/** One life of a service that replies by Kafka, in the two ways of docs/results.md. It lives until it is killed, or its input ends. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class RepliesLife {

    private static final long BACK_OFF_MILLIS = 50;

    /** How a copy of a request gets its reply. */
    enum Way {
        /** All copies of a request ask for one reply, which goes through the outbox. */
        OUTBOX,
        /** Each copy asks for a reply of its own, and gets the stored answer. */
        ANSWERS
    }

    private final JdbcTemplate jdbc;

    RepliesLife(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    /** What a request gets: its own text, and what only one run of the handler can have said. */
    record Receipt(String text) {}

    /** Takes properties of the application, as an application does. */
    public static void main(String[] args) {
        KilledJvm.endWithInput();
        new SpringApplicationBuilder(RepliesLife.class)
                .web(WebApplicationType.NONE)
                .run(args);
    }

    @Bean
    static AnsweringConsumer<ConsumerRecord<String, String>, Receipt> answering(
            ClaimStore store, ResultStore results, ResultCodec json) {
        return AnsweringConsumer.of(
                KafkaRecords.<String, String>consumer(Way.ANSWERS.name())
                        .store(store)
                        .failures(FailurePolicy.leaveToCaller())
                        .build(),
                results,
                json,
                Receipt.class);
    }

    @Bean
    static DefaultErrorHandler errors() {
        return new DefaultErrorHandler(new FixedBackOff(BACK_OFF_MILLIS, FixedBackOff.UNLIMITED_ATTEMPTS));
    }

    @Configuration(proxyBeanMethods = false)
    static class Listeners {

        private final RepliesLife life;
        private final AnsweringConsumer<ConsumerRecord<String, String>, Receipt> answering;

        Listeners(RepliesLife life, AnsweringConsumer<ConsumerRecord<String, String>, Receipt> answering) {
            this.life = life;
            this.answering = answering;
        }

        @KafkaListener(groupId = "${topic}-OUTBOX", topics = "${topic}-OUTBOX")
        @Idempotent("OUTBOX")
        @SendTo
        public String reply(String request) {
            return life.make(Way.OUTBOX, request).text();
        }

        @KafkaListener(groupId = "${topic}-ANSWERS", topics = "${topic}-ANSWERS")
        @SendTo
        public String answer(ConsumerRecord<String, String> request) {
            return answering
                    .answer(request, (same, claim) -> life.make(Way.ANSWERS, same.value()))
                    .value()
                    .text();
        }
    }

    private Receipt make(Way way, String request) {
        KilledJvm.sayAtWork();
        Receipt receipt = new Receipt(request + " " + UUID.randomUUID());
        jdbc.update("insert into made (way, request, receipt) values (?, ?, ?)", way.name(), request, receipt.text());
        return receipt;
    }
}

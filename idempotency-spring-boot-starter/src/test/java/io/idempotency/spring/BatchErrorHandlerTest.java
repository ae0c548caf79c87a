package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.CommonLoggingErrorHandler;

/** A batch listener beside an error handler that is done with everything that it is given. */
class BatchErrorHandlerTest {

    private final ListenerBench bench = new ListenerBench().withoutJpa();
    private final BenchTopic topic = bench.topic("BATCH");

    @AfterEach
    void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Listener {

        private final Effects.Ledger ledger;

        Listener(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        void post(List<String> values) {
            values.forEach(ledger::post);
        }

        @Bean
        static CommonErrorHandler errors() {
            return new CommonLoggingErrorHandler();
        }
    }

    @Test
    @Tag("rule-1.13")
    void losesOnlyTheRecordThatFailed() {
        bench.start(Listener.class);
        bench.ledger().fail("poison", () -> new IllegalStateException("bad"));

        topic.whileStopped(() -> {
            topic.sendAll(0, "a", "b", "poison", "c", "d");
            topic.sendAll(1, "e", "f");
        });

        topic.awaitSettled();
        assertThat(bench.effects("")).containsExactlyInAnyOrder("a", "b", "c", "d", "e", "f");
    }
}

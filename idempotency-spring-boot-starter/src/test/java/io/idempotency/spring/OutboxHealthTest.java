package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.outbox.Outbox;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Configuration;

/** What health tells of an outbox whose relay cannot reach Kafka. */
class OutboxHealthTest {

    @Configuration(proxyBeanMethods = false)
    static class NoListeners {}

    @SuppressWarnings("unchecked")
    private static Map<String, Object> outbox(ListenerBench bench) {
        HealthIndicator health = bench.application().getBean("idempotencyHealthIndicator", HealthIndicator.class);
        return (Map<String, Object>) Objects.requireNonNull(
                Objects.requireNonNull(health.health()).getDetails().get("outbox"));
    }

    @Test
    @SuppressWarnings("unchecked")
    void namesWhatWaitsAndTheAgeOfTheOldest() {
        try (ListenerBench bench = new ListenerBench()
                .with(
                        "idempotency.outbox.enabled=true",
                        "spring.kafka.producer.bootstrap-servers=localhost:1",
                        "spring.kafka.producer.properties[max.block.ms]=100")
                .start(NoListeners.class)) {
            Outbox<Object, Object> outbox = bench.bean(Outbox.class);
            outbox.send("orders", "key", "one");
            outbox.send("orders", "key", "two");
            bench.jdbc().update("update idempotency_outbox set at_micros = at_micros - 90000000");

            ListenerBench.await().untilAsserted(() -> assertThat(outbox(bench)).containsEntry("waiting", 2L));

            Map<String, Object> told = outbox(bench);
            assertThat((Long) told.get("oldestSeconds")).isGreaterThanOrEqualTo(90);
            assertThat(told).containsEntry("refused", 0L).containsKey("countedAt");
            assertThat(told.get("state")).isIn("runs", "waits");
        }
    }
}

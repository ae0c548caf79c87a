package io.idempotency.samples.payments;

import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.test.context.EmbeddedKafka;
import org.springframework.test.context.DynamicPropertyRegistrar;

/** The whole service on a real broker and a real PostgreSQL. Nothing sends what is in the outbox, so that it can be counted. */
@SpringBootTest(properties = "idempotency.outbox.relay=false")
@EmbeddedKafka(topics = "orders", bootstrapServersProperty = "spring.kafka.bootstrap-servers")
class PaymentListenerTest {

    /** Ends after everything that uses it, also when the JVM ends. */
    @TestConfiguration(proxyBeanMethods = false)
    static class Database {

        @Bean
        static EmbeddedPostgres postgres() throws IOException {
            return EmbeddedPostgres.builder().setRegisterShutdownHook(false).start();
        }

        @Bean
        static DynamicPropertyRegistrar url(EmbeddedPostgres postgres) {
            return properties ->
                    properties.add("spring.datasource.url", () -> postgres.getJdbcUrl("postgres", "postgres"));
        }
    }

    @IdempotencyTest
    void paysEachOrderOnceAndTellsSoOnce(FaultKit kit) {
        kit.send("orders", "anna", "{\"id\":\"%s\",\"customer\":\"anna\",\"cents\":1050}".formatted(kit.id()));
        kit.effects(
                "select 'payment', count(*) from payment union all select 'message', count(*) from idempotency_outbox");
    }
}

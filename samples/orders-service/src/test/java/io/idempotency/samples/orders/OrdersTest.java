package io.idempotency.samples.orders;

import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.test.context.DynamicPropertyRegistrar;

/** Clients repeat their requests. No broker: nothing sends what is in the outbox, so that it can be counted. */
@SpringBootTest(webEnvironment = WebEnvironment.NONE, properties = "idempotency.outbox.relay=false")
class OrdersTest {

    /** Ends after everything that uses it. */
    @TestConfiguration(proxyBeanMethods = false)
    static class Database {

        @Bean
        static EmbeddedPostgres postgres() throws IOException {
            return EmbeddedPostgres.start();
        }

        @Bean
        static DynamicPropertyRegistrar url(EmbeddedPostgres postgres) {
            return properties ->
                    properties.add("spring.datasource.url", () -> postgres.getJdbcUrl("postgres", "postgres"));
        }
    }

    @IdempotencyTest
    void placesEachOrderOnceAndTellsSoOnce(FaultKit kit, @Autowired Orders orders) {
        kit.deliver(() -> new Order(UUID.fromString(kit.id()), "anna", 1050), orders::place);
        kit.effects(
                "select 'order', count(*) from orders union all select 'message', count(*) from idempotency_outbox");
    }
}

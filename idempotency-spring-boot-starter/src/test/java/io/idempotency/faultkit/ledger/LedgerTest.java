package io.idempotency.faultkit.ledger;

import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.kafka.test.context.EmbeddedKafka;

// tag::faults[]
@SpringBootTest
@EmbeddedKafka(topics = "payments", bootstrapServersProperty = "spring.kafka.bootstrap-servers")
class LedgerTest {

    @IdempotencyTest
    void postsEachPaymentOnce(FaultKit kit) {
        kit.send("payments", "anna,10.50");
        kit.effects("select count(*) from posting");
    }
}
// end::faults[]

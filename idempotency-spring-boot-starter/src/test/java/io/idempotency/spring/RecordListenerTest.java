package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.annotation.KafkaListener;

/** A record listener on a real broker and a real database. */
class RecordListenerTest {

    private final ListenerBench bench = new ListenerBench();

    @AfterEach
    void close() {
        bench.close();
    }

    static class Billing {

        private final Effects.Ledger ledger;

        Billing(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(topics = "${topic}", groupId = "billing-group")
        @Idempotent("billing")
        void charge(String order) {
            ledger.post(order);
        }
    }

    @Test
    void hasItsEffectOnceForARedeliveryAndForAMessageThatWasSentAgain() {
        bench.start(Billing.class);
        bench.send(0, "a", "first");
        bench.send(0, "b", "second");
        bench.send(0, "a", "first");
        bench.send(1, "b", "second");
        bench.awaitCommitted("billing-group", 3, 1);
        bench.stop();
        bench.rewind("billing-group", 0, 0);

        bench.start(Billing.class);
        bench.send(0, "c", "third");
        bench.awaitCommitted("billing-group", 4, 1);

        assertThat(bench.effects()).containsExactlyInAnyOrder("first", "second", "third");
        assertThat(bench.bean(Effects.Ledger.class).calls).containsExactly("third");
    }
}

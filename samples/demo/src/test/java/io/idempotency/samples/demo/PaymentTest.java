package io.idempotency.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PaymentTest {

    @Test
    void readsWhatItWrote() {
        Payment payment = new Payments(1).next();

        assertThat(Payment.decode(payment.encode())).isEqualTo(payment);
    }

    @Test
    void areTheSameForTheSameSeedAndHaveUniqueIds() {
        Payments payments = new Payments(7);
        Payments again = new Payments(7);
        Set<UUID> ids = new HashSet<>();
        for (int i = 0; i < 1_000; i++) {
            Payment payment = payments.next();
            assertThat(again.next()).isEqualTo(payment);
            assertThat(payment.from()).isNotEqualTo(payment.to());
            assertThat(payment.id().version()).isEqualTo(4);
            assertThat(ids.add(payment.id())).isTrue();
        }
    }
}

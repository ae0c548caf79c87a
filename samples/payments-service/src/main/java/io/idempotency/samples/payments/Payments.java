package io.idempotency.samples.payments;

import org.springframework.data.repository.Repository;

/** Stores the payments. */
interface Payments extends Repository<Payment, Long> {

    Payment save(Payment payment);
}

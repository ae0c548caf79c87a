package io.idempotency.samples.payments;

import org.springframework.data.repository.Repository;

/** The payments made. */
interface Payments extends Repository<Payment, Long> {

    Payment save(Payment payment);
}

package io.idempotency.samples.payments;

/** Thrown for a payment that no retry can make succeed. */
final class PaymentRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    PaymentRefusedException(String message) {
        super(message);
    }
}

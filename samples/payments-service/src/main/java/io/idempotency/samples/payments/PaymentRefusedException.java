package io.idempotency.samples.payments;

/** Trying again would not help. */
final class PaymentRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    PaymentRefusedException(String message) {
        super(message);
    }
}

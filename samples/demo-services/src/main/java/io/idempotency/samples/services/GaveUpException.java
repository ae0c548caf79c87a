package io.idempotency.samples.services;

/** Thrown if the demo cannot reach a verdict; the message says why. */
final class GaveUpException extends Exception {

    private static final long serialVersionUID = 1L;

    GaveUpException(String message) {
        super(message);
    }
}

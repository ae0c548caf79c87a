package io.idempotency.samples.services;

/** The demo cannot come to a verdict; the message says why. */
final class GaveUpException extends Exception {

    private static final long serialVersionUID = 1L;

    GaveUpException(String message) {
        super(message);
    }
}

package io.idempotency;

/** Rethrows exceptions of handlers unwrapped. */
final class Sneaky {

    private Sneaky() {}

    @SuppressWarnings("unchecked")
    static <T extends Throwable> RuntimeException unchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }
}

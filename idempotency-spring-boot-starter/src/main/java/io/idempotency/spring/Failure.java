package io.idempotency.spring;

/** What a listener threw, on its way back to the container that asked for it. */
final class Failure {

    private Failure() {}

    /** Returns the exception as it is: the container expects what the listener adapter throws, checked or not. */
    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException of(Throwable thrown) throws E {
        throw (E) thrown;
    }
}

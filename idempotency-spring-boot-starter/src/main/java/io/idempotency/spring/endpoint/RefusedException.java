package io.idempotency.spring.endpoint;

/** A request that is refused with a sentence and a status. */
final class RefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;

    RefusedException(int status, String sentence) {
        super(sentence);
        this.status = status;
    }

    /** Returns the refusal of input that cannot be meant. */
    static RefusedException badInput(String sentence) {
        return new RefusedException(400, sentence);
    }

    int status() {
        return status;
    }
}

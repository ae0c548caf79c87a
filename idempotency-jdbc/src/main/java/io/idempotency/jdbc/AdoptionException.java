package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.io.Serial;

/** An adoption has ended before its last row. Run it again: what it has adopted is known then. */
public final class AdoptionException extends IdempotencyException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final transient Adopted soFar;

    AdoptionException(String why, Adopted soFar, Throwable cause) {
        super(
                "The adoption has ended early, after " + soFar + ". Run it again: what is adopted is known then. "
                        + why,
                cause);
        this.soFar = soFar;
    }

    /** Returns what was adopted and committed. If the answer of the last commit was lost, its batch may be committed and is not counted. */
    public Adopted soFar() {
        return soFar;
    }
}

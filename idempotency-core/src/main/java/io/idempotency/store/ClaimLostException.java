package io.idempotency.store;

import java.util.List;

/** Another attempt has taken leases of the caller. The method that throws it says what became of the other leases. */
public final class ClaimLostException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    private final transient List<Claim> lost;

    public ClaimLostException(String verb, List<Claim> lost) {
        super("Cannot " + verb + " " + lost.size()
                + " lease(s), because they ended and another attempt has taken them: "
                + lost.stream()
                        .map(claim -> claim.delivery() + " attempt " + claim.attempt())
                        .limit(5)
                        .toList());
        this.lost = List.copyOf(lost);
    }

    /** Returns the claims whose lease another attempt has taken, in the order they were given. */
    public List<Claim> lost() {
        return lost;
    }
}

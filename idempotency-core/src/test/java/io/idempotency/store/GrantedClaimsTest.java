package io.idempotency.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GrantedClaimsTest {

    private static final Delivery FIRST = delivery("a", 0);
    private static final Delivery SECOND = delivery("b", 1);

    private static Delivery delivery(String id, long offset) {
        return new Delivery(new MessageId("billing", id), new Position("orders", 3, offset));
    }

    @Test
    void grantAllDeliveriesInTheirOrder() {
        List<Claim> claims = Claim.granted(List.of(FIRST, SECOND));

        assertThat(claims).containsExactly(Claim.granted(FIRST), Claim.granted(SECOND));
        assertThat(Claim.areGranted(claims)).isTrue();
    }

    @Test
    void areAllGrantedOnlyIfEachIs() {
        Claim duplicate = Claim.duplicate(SECOND, Optional.empty());

        assertThat(Claim.areGranted(List.of(Claim.granted(FIRST), Claim.granted(SECOND))))
                .isTrue();
        assertThat(Claim.areGranted(List.of(Claim.granted(FIRST), duplicate))).isFalse();
    }
}

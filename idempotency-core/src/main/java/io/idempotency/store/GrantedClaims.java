package io.idempotency.store;

import java.util.AbstractList;
import java.util.List;
import java.util.RandomAccess;

/** Claims that grant all of their deliveries. A poll of new messages so needs no object for each; a claim is created when somebody asks for it. */
final class GrantedClaims extends AbstractList<Claim> implements RandomAccess {

    private final List<Delivery> deliveries;

    GrantedClaims(List<Delivery> deliveries) {
        this.deliveries = deliveries;
    }

    @Override
    public Claim get(int index) {
        return Claim.granted(deliveries.get(index));
    }

    @Override
    public int size() {
        return deliveries.size();
    }
}

package io.idempotency.samples.demo;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Duplicate;
import io.idempotency.samples.demo.Tally.Count;

/** Counts the reports of the library, and causes the accident between the commit and the offset commit. */
final class ConsumptionCounter implements ConsumptionListener {

    private final Tally tally;
    private final Saboteur saboteur;

    ConsumptionCounter(Tally tally, Saboteur saboteur) {
        this.tally = tally;
        this.saboteur = saboteur;
    }

    @Override
    public void onConsumption(Consumption consumption) {
        switch (consumption.outcome()) {
            case PROCESSED -> {
                tally.add(Count.PROCESSED);
                saboteur.afterCommit();
            }
            case DUPLICATE -> tally.add(kind(consumption));
            case QUARANTINED -> tally.add(Count.QUARANTINED);
            case EXPIRED, WOULD_SKIP, WOULD_EXPIRE, WOULD_REFUSE ->
                throw new IllegalStateException("Nothing expires here, and nothing is in shadow mode: " + consumption);
            case RELEASED, IN_PROGRESS -> tally.add(consumption.isTransient() ? Count.TRANSIENT : Count.RETRIED);
        }
    }

    private static Count kind(Consumption consumption) {
        return switch (consumption.duplicate().map(Duplicate::kind).orElse(Duplicate.Kind.UNKNOWN)) {
            case REDELIVERY -> Count.REDELIVERIES;
            case RESEND -> Count.RESENDS;
            case UNKNOWN -> Count.UNKNOWN;
        };
    }
}

package io.idempotency.samples.bulk;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Outcome;
import io.idempotency.Replayed;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Counts what becomes of records, for those who watch. Thread-safe. */
final class Progress implements ConsumptionListener {

    private final Map<Outcome, LongAdder> counts = new EnumMap<>(Outcome.class);
    private final LongAdder replayed = new LongAdder();
    private final long began = System.nanoTime();

    Progress() {
        for (Outcome outcome : Outcome.values()) {
            counts.put(outcome, new LongAdder());
        }
    }

    @Override
    public void onConsumption(Consumption consumption) {
        LongAdder count = counts.get(consumption.outcome());
        if (count != null) {
            count.increment();
        }
    }

    @Override
    public void onReplay(Replayed one) {
        replayed.increment();
    }

    long count(Outcome outcome) {
        LongAdder count = counts.get(outcome);
        return count == null ? 0 : count.sum();
    }

    /** Returns a line about the whole run. */
    String line() {
        double seconds = (System.nanoTime() - began) / 1e9;
        long loaded = count(Outcome.PROCESSED);
        return String.format(
                Locale.ROOT,
                "%,d rows loaded, %,.0f a second; %,d duplicates skipped, %,d rows quarantined, %,d replayed",
                loaded,
                loaded / seconds,
                count(Outcome.DUPLICATE),
                count(Outcome.QUARANTINED),
                replayed.sum());
    }
}

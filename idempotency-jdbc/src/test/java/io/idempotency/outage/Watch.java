package io.idempotency.outage;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Duplicate;
import io.idempotency.Outcome;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantinedMessage;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Sees every consumption, and whatever is put into quarantine. */
final class Watch implements ConsumptionListener, QuarantineStore {

    private final Queue<Consumption> consumptions = new ConcurrentLinkedQueue<>();
    private final Queue<QuarantinedMessage> quarantined = new ConcurrentLinkedQueue<>();

    @Override
    public void onConsumption(Consumption consumption) {
        consumptions.add(consumption);
    }

    /** Returns the consumptions of one message, in order. */
    List<Consumption> of(String id) {
        return consumptions.stream()
                .filter(seen -> seen.delivery().id().value().equals(id))
                .toList();
    }

    List<Consumption> failures() {
        return consumptions.stream().filter(seen -> seen.failure().isPresent()).toList();
    }

    long transients() {
        return consumptions.stream().filter(Consumption::isTransient).count();
    }

    long count(Outcome outcome) {
        return consumptions.stream().filter(seen -> seen.outcome() == outcome).count();
    }

    List<Duplicate.Kind> duplicates() {
        return consumptions.stream()
                .flatMap(seen -> seen.duplicate().stream())
                .map(Duplicate::kind)
                .toList();
    }

    /** Asserts that no failure was taken for the fault of a message. */
    void assertNothingCounted() {
        assertThat(consumptions).allSatisfy(seen -> {
            assertThat(seen.attempts()).isZero();
            assertThat(seen.isTransient()).isEqualTo(seen.failure().isPresent());
        });
        assertNothingQuarantined();
    }

    void assertNothingQuarantined() {
        assertThat(quarantined).isEmpty();
        assertThat(count(Outcome.QUARANTINED)).isZero();
    }

    @Override
    public void save(QuarantinedMessage message) {
        quarantined.add(message);
    }

    @Override
    public Optional<QuarantineEntry> find(MessageId id) {
        return quarantined.stream()
                .filter(message -> message.delivery().id().equals(id))
                .map(message -> new QuarantineEntry(message, 1, Instant.EPOCH, Instant.EPOCH, Optional.empty()))
                .findFirst();
    }

    @Override
    public Optional<QuarantineEntry> take(MessageId id, long generation) {
        return find(id);
    }

    @Override
    public List<QuarantineSummary> list(QuarantineSelection selection, Optional<Delivery> after, int limit) {
        return List.of();
    }

    @Override
    public QuarantineCount count(QuarantineSelection selection) {
        return new QuarantineCount(quarantined.size(), Map.of(), Map.of(), Optional.empty());
    }

    @Override
    public List<MessageId> list(String consumer, int limit) {
        return quarantined.stream()
                .map(message -> message.delivery().id())
                .limit(limit)
                .toList();
    }

    @Override
    public boolean delete(MessageId id) {
        return quarantined.removeIf(message -> message.delivery().id().equals(id));
    }
}

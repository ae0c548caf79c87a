package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.StandIn;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Makes the settings of the consumer that handles messages of replays: those of the live consumer, with a store and a quarantine that go through the
 * guard. Failures are not retried, do not stop anything, and are reported to the guard alone. Known duplicates are not skipped, because their entries
 * have to go.
 */
final class ReplaySettings {

    private ReplaySettings() {}

    static <M> Settings<M> of(Settings<M> live, ReplayGuard<M> guard) {
        Settings.Storage storage = live.storage();
        ReplayedQuarantine quarantine = new ReplayedQuarantine(guard);
        FailurePolicy.Decision decision = live.level() == ConsistencyLevel.AT_LEAST_ONCE
                ? FailurePolicy.Decision.quarantine()
                : FailurePolicy.Decision.leave();
        return new Settings<>(
                live.name(),
                live.level(),
                new Settings.Storage(
                        store(storage.store(), guard),
                        work -> storage.transactions().inTransaction(() -> {
                            work.run();
                            guard.beforeCommit();
                        }),
                        DuplicateCache.none(),
                        storage.lease()),
                new Settings.Messages<>(
                        message -> idOf(guard, live, message),
                        new ReplayedReader<>(live.messages().reader(), guard),
                        live.messages().expiry(),
                        live.messages().scope(),
                        Optional.empty(),
                        Optional.empty()),
                new Settings.Failures(failure -> decision, Optional.of(quarantine), true, Integer.MAX_VALUE),
                live.chunks(),
                new Listener(live.listener(), guard),
                false);
    }

    /** A message with another payload under the id of a processed one has an id of its own in quarantine, and keeps it. */
    private static <M> Optional<String> idOf(ReplayGuard<M> guard, Settings<M> live, M message) {
        ReplayAttempt attempt = guard.current();
        return attempt != null && StandIn.isOfOtherPayload(attempt.kept().id().value())
                ? Optional.of(attempt.kept().id().value())
                : live.messages().id().messageId(message);
    }

    private static ClaimStore store(ClaimStore store, ReplayGuard<?> guard) {
        return store instanceof LeaseStore leases
                ? new ReplayingLeases(leases, guard.books(), guard::attempt)
                : new ReplayingStore(store, guard.books(), guard::attempt);
    }

    private static ReplayAttempt current(ReplayGuard<?> guard) {
        return Objects.requireNonNull(guard.current(), "No message is being replayed");
    }

    private record Listener(ConsumptionListener live, ReplayGuard<?> guard) implements ConsumptionListener {

        @Override
        public void onConsumption(Consumption consumption) {
            ReplayAttempt attempt = guard.current();
            if (attempt != null) {
                attempt.report(consumption);
            }
        }

        @Override
        public void onEarlyCommit(Delivery first) {
            live.onEarlyCommit(first);
        }

        @Override
        public void onLeaseLost(Delivery delivery) {
            live.onLeaseLost(delivery);
        }
    }

    /** Reads messages as the live consumer does; their bytes are in quarantine. */
    private record ReplayedReader<M>(MessageReader<? super M> reader, ReplayGuard<?> guard)
            implements MessageReader<M> {

        @Override
        public Position position(M message) {
            return reader.position(message);
        }

        @Override
        public long timestamp(M message) {
            return reader.timestamp(message);
        }

        @Override
        public Payload payload(M message) {
            return current(guard).entry().message().payload();
        }

        @Override
        public String standIn(M message) {
            return reader.standIn(message);
        }

        @Override
        public void requireHome(M message) {
            reader.requireHome(message);
        }
    }

    /** Saves the message of the running attempt, with one more attempt, its first failure and its bytes. */
    private record ReplayedQuarantine(ReplayGuard<?> guard) implements QuarantineStore {

        private QuarantineStore kept() {
            return guard.books().quarantine();
        }

        @Override
        public void save(QuarantinedMessage message) {
            guard.save(message.failure());
        }

        @Override
        public Optional<QuarantineEntry> find(MessageId id) {
            return kept().find(id);
        }

        @Override
        public Optional<QuarantineEntry> take(MessageId id, long generation) {
            return kept().take(id, generation);
        }

        @Override
        public List<QuarantineSummary> list(QuarantineSelection selection, Optional<Delivery> after, int limit) {
            return kept().list(selection, after, limit);
        }

        @Override
        public QuarantineCount count(QuarantineSelection selection) {
            return kept().count(selection);
        }

        @Override
        public List<MessageId> list(String consumer, int limit) {
            return kept().list(consumer, limit);
        }

        @Override
        public boolean delete(MessageId id) {
            return kept().delete(id);
        }

        @Override
        public String toString() {
            return kept().toString();
        }
    }
}

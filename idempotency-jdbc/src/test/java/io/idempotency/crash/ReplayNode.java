package io.idempotency.crash;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.BatchResult;
import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageReader;
import io.idempotency.Replayed;
import io.idempotency.Replayer;
import io.idempotency.ShortTurns;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/** A node of a cell: it replays, consumes or purges, in the process that halts or in another one. */
final class ReplayNode implements AutoCloseable {

    private static final Duration TURN = Duration.ofMillis(500);
    private static final Duration LEASE = Duration.ofSeconds(2);

    private static final int ATTEMPTS = 3;

    private static final class NotMended extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** A message of the cell. */
    record Message(String id, Position position) {}

    private static final MessageReader<Message> READER = new MessageReader<>() {
        @Override
        public Position position(Message message) {
            return message.position();
        }

        @Override
        public Payload payload(Message message) {
            return new Payload(null, message.id().getBytes(UTF_8), List.of(), Payload.Origin.RAW);
        }
    };

    private final String id;
    private final ReplayHalt halt;
    private final Ledger calls;
    private final Ledger effects;
    private final ClaimStore store;
    private final QuarantineStore quarantine;
    private final ReplayStore replays;
    private final IdempotentConsumer<Message> consumer;
    private final Replayer<Message> replayer;

    /** @param halt where the process halts; never in the other processes */
    ReplayNode(ReplayCell cell, DataSource dataSource, ReplayHalt halt) {
        this.id = cell.id();
        this.halt = halt;
        this.calls = new Ledger(dataSource);
        this.effects = new Ledger(
                cell.level() == ConsistencyLevel.STRONG
                        ? JdbcTransactions.on(dataSource).dataSource()
                        : dataSource);
        this.quarantine =
                halt.in(QuarantineStore.class, JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX));
        this.replays = halt.in(ReplayStore.class, JdbcReplays.on(dataSource).tablePrefix(Ledger.PREFIX));
        this.store = cell.store() == Cell.Kind.TABLE
                ? TableStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build()
                : JournalStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build();
        this.consumer = IdempotentConsumer.<Message>named(id)
                .level(cell.level())
                .store(halt.in(store))
                .messageId(message -> Optional.of(message.id()))
                .reader(READER)
                .quarantine(quarantine)
                // The lease of a process that died counts as an attempt.
                .failures(FailurePolicy.quarantineAfter(ATTEMPTS).quarantineOn(NotMended.class))
                .standStillAfter(Integer.MAX_VALUE)
                .lease(LEASE)
                .listener(new ConsumptionListener() {
                    @Override
                    public void onConsumption(Consumption consumption) {}

                    @Override
                    public void onReplay(Replayed replayed) {
                        halt.at(
                                ReplayPoint.AFTER_COMMIT,
                                replayed.delivery().id().value());
                    }
                })
                .build();
        this.replayer = ShortTurns.of(consumer, replays, TURN);
    }

    /** Quarantines the messages, and requests their replay. */
    void request(List<Message> messages) {
        messages.forEach(message -> await().atMost(Duration.ofMinutes(2)).until(() -> isQuarantined(message)));
        Replay replay = replays.request(request(id));
        assertThat(replay.progress().total()).isEqualTo(messages.size());
    }

    /** Delivers a message whose handler fails. Kafka would deliver it again if the store failed for a moment. */
    private boolean isQuarantined(Message message) {
        BatchResult unused = consumer.consumeAll(List.of(message), (poison, claim) -> {
            throw new NotMended();
        });
        return quarantine.find(new MessageId(id, message.id())).isPresent();
    }

    /** Requests the replay again, and another one of the same messages. Returns whether there is still only one. */
    boolean isAloneWhenRequestedAgain() {
        Instant first = replay().requestedAt();
        try {
            Replay other = replays.request(request(id + "-2"));
            throw new IllegalStateException("Two replays have the same messages: " + other);
        } catch (TransientStoreException busy) {
            return false;
        } catch (IdempotencyException nothingLeft) {
            return replays.request(request(id)).requestedAt().equals(first)
                    && replays.find(id + "-2").isEmpty();
        }
    }

    private ReplayRequest request(String name) {
        return ReplayRequest.of(QuarantineSelection.of(id)).id(name).perSecond(1_000);
    }

    void start() {
        replayer.start((entry, replay) -> replayer.consumer().consume(message(entry), this::handle));
    }

    private void handle(Message message, Claim claim) {
        calls.call(id, message.id());
        halt.at(ReplayPoint.IN_HANDLER, message.id());
        effects.effect(id, message.id());
        halt.at(ReplayPoint.AFTER_EFFECT, message.id());
        halt.throwAt(message.id());
    }

    /** Consumes a message as it comes from Kafka. One behind the horizon is refused; that is no effect. */
    void deliver(Message message) {
        try {
            BatchResult unused = consumer.consumeAll(List.of(message), this::handle);
        } catch (IdempotencyException refused) {
            if (!String.valueOf(refused.getMessage()).contains(message.id())) {
                throw refused;
            }
        }
    }

    /** Purges all that may be purged. */
    void purge() {
        int unused = store.purge(Duration.ZERO, 1_000);
    }

    private static Message message(QuarantineEntry entry) {
        return new Message(
                new String(requireNonNull(entry.message().payload().value()), UTF_8),
                entry.message().delivery().position());
    }

    /** Returns whether the replay has ended; makes the node look again. */
    boolean isDone() {
        replayer.wake();
        return replays.find(id).orElseThrow().endedAt().isPresent();
    }

    /** Returns what an operator sees of the replay. */
    Replay replay() {
        return replays.find(id).orElseThrow();
    }

    Seen.Fate fate(String message) {
        boolean isKept = quarantine.find(new MessageId(id, message)).isPresent();
        return new Seen.Fate(calls.calls(id, message), calls.effects(id, message), isKept);
    }

    @Override
    public void close() {
        replayer.close();
        consumer.close();
    }
}

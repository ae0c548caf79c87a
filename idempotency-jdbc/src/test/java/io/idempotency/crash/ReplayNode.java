package io.idempotency.crash;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

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
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/** The replayer of a cell, in the process that halts or in the one that follows it. */
final class ReplayNode implements AutoCloseable {

    private static final Duration TURN = Duration.ofMillis(500);
    private static final Duration LEASE = Duration.ofMillis(500);

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

    /** @param halt where the process halts; never in the process that follows */
    ReplayNode(ReplayCell cell, DataSource dataSource, ReplayHalt halt) {
        this(cell.id(), cell.level(), cell.store(), dataSource, halt);
    }

    /** @param id the name of consumer, topic and replay */
    ReplayNode(String id, ConsistencyLevel level, Cell.Kind kind, DataSource dataSource, ReplayHalt halt) {
        this.id = id;
        this.halt = halt;
        this.calls = new Ledger(dataSource);
        this.effects = new Ledger(
                level == ConsistencyLevel.STRONG
                        ? JdbcTransactions.on(dataSource).dataSource()
                        : dataSource);
        this.quarantine =
                halt.in(QuarantineStore.class, JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX));
        this.replays = halt.in(ReplayStore.class, JdbcReplays.on(dataSource).tablePrefix(Ledger.PREFIX));
        this.store = kind == Cell.Kind.TABLE
                ? TableStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build()
                : JournalStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build();
        this.consumer = IdempotentConsumer.<Message>named(id)
                .level(level)
                .store(halt.in(store))
                .messageId(message -> Optional.of(message.id()))
                .reader(READER)
                .quarantine(quarantine)
                .failures(FailurePolicy.quarantineAfter(1))
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

    /** Quarantines the messages, and requests their replay twice. */
    void request(List<Message> messages) {
        messages.forEach(message -> consumer.consumeAll(List.of(message), (poison, claim) -> {
            throw new IllegalStateException("The handler is not mended yet");
        }));
        ReplayRequest request =
                ReplayRequest.of(QuarantineSelection.of(id)).id(id).perSecond(1_000);
        Instant first = replays.request(request).requestedAt();
        if (!replays.request(request).requestedAt().equals(first)) {
            throw new IllegalStateException("A second request made another replay");
        }
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

    /** Consumes a message as it comes from Kafka. */
    void deliver(Message message) {
        BatchResult unused = consumer.consumeAll(List.of(message), this::handle);
    }

    /** Purges whatever is old enough. */
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

package io.idempotency.crash;

import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.JdbcResults;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.TableStore;
import io.idempotency.outbox.Outbox;
import io.idempotency.outbox.OutboxRelay;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.Sent;
import io.idempotency.outbox.Wrapped;
import io.idempotency.results.Answer;
import io.idempotency.results.AnsweringConsumer;
import io.idempotency.results.RequestInProgressException;
import io.idempotency.results.ResultCodec;
import io.idempotency.results.Steps;
import io.idempotency.store.Claim;
import io.idempotency.store.MessageId;
import io.idempotency.store.ResultStore;
import io.idempotency.store.StoredResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * One life of a process that handles one message, whose effect goes beyond a row: it is answered, has steps, or sends an output. The first life halts at its point. Each
 * life prints what it has to tell.
 */
public final class BeyondLife {

    /** A child that the machine holds up for longer would lose it. */
    static final Duration LEASE = Duration.ofSeconds(3);

    /** Begins a line of what it has to tell; others are of the log. */
    static final String TOLD = "> ";

    private static final ResultCodec TEXT = new ResultCodec() {
        @Override
        public byte[] toBytes(Object value) {
            return value.toString().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public <T> T fromBytes(byte[] content, Class<T> type) {
            return type.cast(new String(content, StandardCharsets.UTF_8));
        }
    };

    private final BeyondCell cell;
    private final int life;
    private final DataSource dataSource;
    private final TableStore store;
    private final Ledger ledger;

    private BeyondLife(BeyondCell cell, int life) {
        this.cell = cell;
        this.life = life;
        this.dataSource = Database.named().dataSource();
        this.store = TableStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build();
        this.ledger = new Ledger(dataSource);
    }

    /** The arguments that {@link #main} understands. */
    static List<String> arguments(BeyondCell cell, int life, String servers) {
        return List.of(cell.act().name(), cell.point().name(), cell.name(), String.valueOf(life), servers);
    }

    /** Handles the message of a cell, unless it halts before. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Life.quieten();
        BeyondCell cell = new BeyondCell(BeyondCell.Act.valueOf(args[0]), BeyondCell.Point.valueOf(args[1]), args[2]);
        BeyondLife life = new BeyondLife(cell, Integer.parseInt(args[3]));
        switch (cell.act()) {
            case ANSWER -> life.answer(ConsistencyLevel.STRONG);
            case LEASED_ANSWER -> life.answer(ConsistencyLevel.AT_LEAST_ONCE);
            case STEPS -> life.steps();
            case OUTPUT -> life.send(args[4]);
        }
        // Without the hooks of the broker's client.
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void tell(Object what) {
        System.out.println(TOLD + what);
    }

    private void at(BeyondCell.Point point) {
        if (life == 1 && cell.point() == point) {
            System.out.flush();
            Runtime.getRuntime().halt(Halt.CODE);
        }
    }

    private IdempotentConsumer<String> consumer(ConsistencyLevel level) {
        return IdempotentConsumer.<String>named(cell.name())
                .level(level)
                .store(store)
                .lease(LEASE)
                .messageId(Optional::of)
                .failures(FailurePolicy.leaveToCaller())
                .transactions(work -> store.transactions().inTransaction(() -> {
                    work.run();
                    at(BeyondCell.Point.BEFORE_COMMIT);
                }))
                .build();
    }

    /** Halts behind the storing of a result. */
    private ResultStore results() {
        JdbcResults results = JdbcResults.on(dataSource).tablePrefix(Ledger.PREFIX);
        return new ResultStore() {
            @Override
            public void put(Claim claim, StoredResult result) {
                results.put(claim, result);
                at(BeyondCell.Point.STORED);
            }

            @Override
            public void requirePuttable(Claim claim) {
                results.requirePuttable(claim);
            }

            @Override
            public void clear(Claim lease) {
                results.clear(lease);
            }

            @Override
            public List<StoredResult> find(MessageId id) {
                return results.find(id);
            }
        };
    }

    private void answer(ConsistencyLevel level) throws InterruptedException {
        DataSource ofTransaction = JdbcTransactions.on(dataSource).dataSource();
        Ledger effects = level == ConsistencyLevel.STRONG ? new Ledger(ofTransaction) : ledger;
        AnsweringConsumer<String, String> api = AnsweringConsumer.of(consumer(level), results(), TEXT, String.class);
        while (true) {
            try {
                Answer<String> answer = api.answer(BeyondCell.MESSAGE, (message, claim) -> {
                    ledger.call(cell.name(), message);
                    at(BeyondCell.Point.BEFORE_EFFECT);
                    effects.effect(cell.name(), message);
                    at(BeyondCell.Point.AFTER_EFFECT);
                    return "answer " + UUID.randomUUID();
                });
                at(BeyondCell.Point.DONE);
                tell(answer.value());
                return;
            } catch (RequestInProgressException e) {
                Thread.sleep(50);
            }
        }
    }

    /** The second table of the ledger takes the calls of the foreign service, by their keys. */
    private void steps() throws InterruptedException {
        Steps steps = Steps.in(results(), TEXT);
        IdempotentConsumer<String> consumer = consumer(ConsistencyLevel.AT_LEAST_ONCE);
        Outcome outcome = Outcome.IN_PROGRESS;
        while (!outcome.isSettled()) {
            try {
                outcome = consumer.consume(BeyondCell.MESSAGE, steps.handler((message, step) -> {
                    ledger.call(cell.name(), message);
                    step.once("charge", key -> {
                        at(BeyondCell.Point.BEFORE_EFFECT);
                        ledger.effect(cell.name(), key.substring(0, BeyondCell.KEY));
                        at(BeyondCell.Point.AFTER_EFFECT);
                        stall();
                    });
                    at(BeyondCell.Point.DONE);
                }));
            } catch (RuntimeException e) {
                tell(e.getClass().getSimpleName());
                outcome = Outcome.IN_PROGRESS;
            }
            Thread.sleep(50);
        }
        tell(outcome);
    }

    /** Waits until its parent has stopped it and lets it go on. */
    private void stall() throws IOException {
        if (life == 1 && cell.point() == BeyondCell.Point.STALLED) {
            tell("in the step");
            int unused = System.in.read();
        }
    }

    private void send(String servers) {
        JdbcOutbox outputs = JdbcOutbox.on(dataSource).tablePrefix(cell.prefix());
        Outbox<String, String> outbox = Outbox.of(outputs, new StringSerializer(), new StringSerializer());
        Ledger effects = new Ledger(JdbcTransactions.on(dataSource).dataSource());
        consumer(ConsistencyLevel.STRONG).consume(BeyondCell.MESSAGE, (message, claim) -> {
            ledger.call(cell.name(), message);
            at(BeyondCell.Point.BEFORE_EFFECT);
            effects.effect(cell.name(), message);
            outbox.send(cell.name(), "k", message);
            at(BeyondCell.Point.AFTER_EFFECT);
        });
        at(BeyondCell.Point.DONE);
        try (OutboxRelay relay = OutboxRelay.of(halting(outputs), Map.of("bootstrap.servers", servers))
                .build()) {
            while (outputs.total().waiting() > 0) {
                relay.runOnce();
            }
        }
    }

    /** Halts between the acknowledgment of outputs and their deletion. */
    private OutboxStore halting(OutboxStore store) {
        return new Wrapped(store) {
            @Override
            protected Sent afterSending(Sent sent) {
                at(BeyondCell.Point.SENT);
                return sent;
            }
        };
    }
}

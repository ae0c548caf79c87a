package io.idempotency.crash;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageReader;
import io.idempotency.Replayer;
import io.idempotency.ShortTurns;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.TableStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/** A process that replays messages until its input ends. */
public final class ScaleLife {

    static final String CONSUMER = "scale";
    static final int PARTITIONS = 6;
    private static final Duration TURN = Duration.ofSeconds(2);

    private ScaleLife() {}

    /** Message {@code number} of the topic. */
    static Delivery delivery(long number) {
        return new Delivery(
                new MessageId(CONSUMER, "m-" + number),
                new Position("orders", (int) (number % PARTITIONS), number / PARTITIONS));
    }

    /** Returns a consumer whose messages are deliveries. */
    static IdempotentConsumer<Delivery> consumer(DataSource dataSource) {
        return IdempotentConsumer.<Delivery>named(CONSUMER)
                .store(TableStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build())
                .messageId(message -> Optional.of(message.id().value()))
                .reader(new MessageReader<>() {
                    @Override
                    public Position position(Delivery message) {
                        return message.position();
                    }

                    @Override
                    public Payload payload(Delivery message) {
                        return ScaleLife.payload(message.id().value());
                    }
                })
                .quarantine(JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX))
                .build();
    }

    static Payload payload(String id) {
        return new Payload(null, id.getBytes(UTF_8), List.of(), Payload.Origin.RAW);
    }

    /** Lives until its input ends. */
    public static void main(String[] args) throws IOException {
        Life.quieten();
        try (HikariDataSource pool = Database.named().pool(4)) {
            Ledger effects = new Ledger(JdbcTransactions.on(pool).dataSource());
            JdbcReplays replays = JdbcReplays.on(pool).tablePrefix(Ledger.PREFIX);
            try (IdempotentConsumer<Delivery> consumer = consumer(pool);
                    Replayer<Delivery> replayer = ShortTurns.of(consumer, replays, TURN)) {
                replayer.start((entry, replay) -> replayer.consumer()
                        .consume(
                                message(entry),
                                (message, claim) ->
                                        effects.effect(CONSUMER, message.id().value())));
                while (System.in.read() >= 0) {
                    // Only the end counts.
                }
            }
        }
    }

    private static Delivery message(QuarantineEntry entry) {
        Delivery delivery = entry.message().delivery();
        String read = new String(requireNonNull(entry.message().payload().value()), UTF_8);
        return new Delivery(new MessageId(CONSUMER, read), delivery.position());
    }
}

package io.idempotency.samples.demo;

import io.idempotency.MessageHandler;
import io.idempotency.store.Claim;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The handler: moves the amount from one account to the other and writes a posting. It uses plain JDBC on the data source that joins the running
 * transaction, and knows nothing about duplicates. Not thread-safe: a poll loop has one thread.
 */
final class PaymentHandler implements MessageHandler<ConsumerRecord<String, String>> {

    /** One payment in this number fails at its first tries. */
    private static final int FAILING_IN = 5_000;

    private static final int FAILURES = 2;

    private final DataSource source;
    private final Saboteur saboteur;
    private final Tally tally;
    private final Map<UUID, Integer> failures = new HashMap<>();

    PaymentHandler(DataSource source, Saboteur saboteur, Tally tally) {
        this.source = source;
        this.saboteur = saboteur;
        this.tally = tally;
    }

    @Override
    public void handle(ConsumerRecord<String, String> message, Claim claim) throws Exception {
        Payment payment = Payment.decode(message.value());
        try (Connection connection = source.getConnection()) {
            move(connection, payment.from(), -payment.cents());
            saboteur.inTransaction(connection);
            failNowAndThen(payment);
            move(connection, payment.to(), payment.cents());
            post(connection, payment);
        }
    }

    private static void move(Connection connection, int account, long cents) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("update account set balance = balance + ? where id = ?")) {
            update.setLong(1, cents);
            update.setInt(2, account);
            if (update.executeUpdate() == 0) {
                throw new IllegalArgumentException("There is no account " + account);
            }
        }
    }

    private static void post(Connection connection, Payment payment) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into posting (message_id, from_account, to_account, cents) values (?, ?, ?, ?)")) {
            insert.setObject(1, payment.id());
            insert.setInt(2, payment.from());
            insert.setInt(3, payment.to());
            insert.setLong(4, payment.cents());
            insert.executeUpdate();
        }
    }

    private void failNowAndThen(Payment payment) {
        boolean isFailing = Math.floorMod(payment.id().hashCode(), FAILING_IN) == 0;
        if (isFailing && failures.merge(payment.id(), 1, Integer::sum) <= FAILURES) {
            tally.add(Tally.Count.FAILURES);
            throw new IllegalStateException("The fraud check does not answer");
        }
    }
}

package io.idempotency.samples.outbox;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionOperations;

/**
 * Sends the messages of the {@link Outbox}, in order:
 *
 * <ol>
 *   <li>lock the first rows; the relay of another node waits here, so that one relay sends at a time and the order is kept
 *   <li>send them all, and wait until Kafka has acknowledged every one
 *   <li>delete them, which marks them as sent, and commit
 * </ol>
 *
 * <p>If a relay dies between the last two steps, its rows remain, and the next relay sends them again. So every message arrives at least once. The header
 * {@code message-id} has the id of the row, so an idempotent consumer recognises the copy.
 */
@Component
@EnableScheduling
public class OutboxRelay {

    private static final int BATCH = 500;

    private final JdbcClient jdbc;
    private final TransactionOperations transactions;
    private final KafkaTemplate<String, String> kafka;

    OutboxRelay(JdbcClient jdbc, TransactionOperations transactions, KafkaTemplate<String, String> kafka) {
        this.jdbc = jdbc;
        this.transactions = transactions;
        this.kafka = kafka;
    }

    record Row(long number, UUID id, String topic, String messageKey, String message) {}

    @Scheduled(fixedDelayString = "${outbox.interval:PT0.1S}")
    void sendAll() {
        while (Boolean.TRUE.equals(transactions.execute(transaction -> sendFirst() == BATCH))) {
            // The batch was full: more messages may wait.
        }
    }

    private int sendFirst() {
        List<Row> rows = jdbc.sql("""
                        select number, id, topic, message_key, message from outbox
                        order by number limit :limit for update
                        """).param("limit", BATCH).query(Row.class).list();
        if (!rows.isEmpty()) {
            CompletableFuture.allOf(rows.stream().map(this::send).toArray(CompletableFuture<?>[]::new))
                    .join();
            // By their numbers: a row with a lower number may have been committed meanwhile, and is not sent yet.
            jdbc.sql("delete from outbox where number in (:sent)")
                    .param("sent", rows.stream().map(Row::number).toList())
                    .update();
        }
        return rows.size();
    }

    private CompletableFuture<?> send(Row row) {
        ProducerRecord<String, String> message = new ProducerRecord<>(row.topic(), row.messageKey(), row.message());
        message.headers().add("message-id", row.id().toString().getBytes(StandardCharsets.UTF_8));
        return kafka.send(message);
    }
}

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
 * Sends what is in the {@link Outbox}, in its order:
 *
 * <ol>
 *   <li>lock the first rows; the relay of another node waits here, so that one sends at a time and the order stays
 *   <li>send them all, and wait until Kafka has acknowledged every one
 *   <li>mark them as sent, which is to delete them, and commit
 * </ol>
 *
 * <p>A relay that dies between the last two steps leaves its rows, and the next one sends them again: every message arrives at least once. Its
 * id is the row's, in the header {@code message-id}, and so a consumer that is idempotent knows the copy.
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
            // A full batch: more may wait.
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
            // By their numbers: a lower one than the last may have been committed meanwhile, and is not sent yet.
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

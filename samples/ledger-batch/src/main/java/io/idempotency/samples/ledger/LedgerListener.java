package io.idempotency.samples.ledger;

import io.idempotency.spring.Idempotent;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** Posts all payments of a poll by one statement. It gets the records of the poll that are no duplicates. */
@Component
class LedgerListener {

    private final JdbcTemplate jdbc;
    private final JsonMapper json;

    LedgerListener(JdbcTemplate jdbc, JsonMapper json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /** The message that is received. */
    record PaymentPosted(UUID orderId, String customer, long cents) {}

    @KafkaListener(topics = "payments", groupId = "ledger", batch = "true")
    @Idempotent("${ledger.consumer:ledger}")
    void post(List<ConsumerRecord<String, String>> records) {
        List<Object[]> entries = records.stream().map(this::entry).toList();
        jdbc.batchUpdate("insert into entry (order_id, customer, cents) values (?, ?, ?)", entries);
    }

    /** Reads a record. An unreadable record fails its batch; then the library isolates it, and the others are posted without it. */
    private Object[] entry(ConsumerRecord<String, String> record) {
        PaymentPosted payment = json.readValue(record.value(), PaymentPosted.class);
        return new Object[] {payment.orderId(), payment.customer(), payment.cents()};
    }
}

package io.idempotency.samples.outbox;

import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * Takes messages to be sent to Kafka. They are rows of the transaction that wants them sent: they leave if it commits, and only then. {@link
 * OutboxRelay} sends them.
 */
@Component
public class Outbox {

    private final JdbcClient jdbc;
    private final JsonMapper json;

    Outbox(JdbcClient jdbc, JsonMapper json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /**
     * Adds a message, in the transaction that is active. It gets an id here and not when it is sent: sent twice, it is still one message.
     *
     * @param key messages of one key stay in the order in which they are added, if their transactions come one after the other
     */
    public void add(String topic, String key, Object message) {
        jdbc.sql("insert into outbox (id, topic, message_key, message) values (?, ?, ?, ?)")
                .params(UUID.randomUUID(), topic, key, json.writeValueAsString(message))
                .update();
    }
}

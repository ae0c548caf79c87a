package io.idempotency.samples.outbox;

import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * Stores messages that are to be sent to Kafka, as rows of the active transaction. They are sent if it commits, and only then, by {@link
 * OutboxRelay}.
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
     * Adds a message, in the active transaction. It gets its id here and not when it is sent, so it is still one message if it is sent twice.
     *
     * @param key messages of one key stay in the order in which they are added, if their transactions do not overlap
     */
    public void add(String topic, String key, Object message) {
        jdbc.sql("insert into outbox (id, topic, message_key, message) values (?, ?, ?, ?)")
                .params(UUID.randomUUID(), topic, key, json.writeValueAsString(message))
                .update();
    }
}

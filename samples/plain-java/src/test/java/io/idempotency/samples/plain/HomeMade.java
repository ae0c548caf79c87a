package io.idempotency.samples.plain;

// tag::homemade[]
import static java.nio.charset.StandardCharsets.UTF_8;

import java.sql.SQLException;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.jdbc.core.JdbcTemplate;

final class HomeMade {

    private final JdbcTemplate jdbc;
    private final Ledger ledger;

    HomeMade(DataSource dataSource) {
        jdbc = new JdbcTemplate(dataSource);
        ledger = new Ledger(dataSource);
    }

    /** Runs in a transaction. The offset is committed after it. */
    void handle(ConsumerRecord<String, String> record) throws SQLException {
        String id = new String(record.headers().lastHeader("message-id").value(), UTF_8);
        if (jdbc.queryForList("select 1 from processed_message where message_id = ?", id)
                .isEmpty()) {
            jdbc.update("insert into processed_message values (?, current_timestamp)", id);
            ledger.post(record.value());
        }
    }
}
// end::homemade[]

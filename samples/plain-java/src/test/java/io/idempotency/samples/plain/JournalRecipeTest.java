package io.idempotency.samples.plain;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Outcome;
import io.idempotency.jdbc.Schema;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.Test;

/** The journal of docs/plain-java.md remembers. */
class JournalRecipeTest {

    @Test
    void skipsACopyInTheSamePartition() {
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:journal;DB_CLOSE_DELAY=-1", "sa", "");
        Schema.on(pool).create();
        List<String> handled = new ArrayList<>();

        JournalRecipe journal = JournalRecipe.on(pool);
        assertThat(journal.billing().consume(record(7), (record, claim) -> handled.add(record.value())))
                .isEqualTo(Outcome.PROCESSED);
        assertThat(journal.billing().consume(record(8), (record, claim) -> handled.add(record.value())))
                .isEqualTo(Outcome.DUPLICATE);
        assertThat(journal.purger().runOnce()).isZero();
        journal.purger().close();

        assertThat(handled).containsExactly("anna,10.50");
        pool.dispose();
    }

    private static ConsumerRecord<String, String> record(long offset) {
        ConsumerRecord<String, String> record = new ConsumerRecord<>("payments", 3, offset, "anna", "anna,10.50");
        record.headers().add("message-id", "pay-1".getBytes(StandardCharsets.UTF_8));
        return record;
    }
}

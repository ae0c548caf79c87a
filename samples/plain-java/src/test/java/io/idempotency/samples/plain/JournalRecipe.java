package io.idempotency.samples.plain;

// tag::journal[]
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Purger;
import io.idempotency.kafka.KafkaRecords;
import java.time.Duration;
import org.apache.kafka.clients.consumer.ConsumerRecord;
// end::journal[]

/**
 * A consumer that remembers its messages in a journal.
 *
 * @param purger is to be closed
 */
record JournalRecipe(IdempotentConsumer<ConsumerRecord<String, String>> billing, Purger purger) {

    static JournalRecipe on(javax.sql.DataSource dataSource) {
        // tag::journal[]
        JournalStore journal =
                JournalStore.builder(dataSource).retention(Duration.ofDays(2)).build();
        IdempotentConsumer<ConsumerRecord<String, String>> billing = KafkaRecords.<String, String>consumer("billing")
                .store(journal)
                .quarantine(JdbcQuarantine.on(dataSource))
                .build();
        Purger purger = Purger.of(journal).start();
        // end::journal[]
        return new JournalRecipe(billing, purger);
    }
}

package io.idempotency.samples.plain;

// tag::program[]
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
// end::program[]

/** Posts every payment of a topic once. */
final class LedgerService implements AutoCloseable {

    private final PollLoop<String, String> loop;
    private final Purger purger;

    LedgerService(DataSource dataSource, Map<String, ?> kafka, String topic) {
        // tag::program[]
        Schema.on(dataSource).migrate();
        TableStore store = TableStore.on(dataSource);
        Ledger ledger = new Ledger(JdbcTransactions.on(dataSource).dataSource());

        IdempotentConsumer<ConsumerRecord<String, String>> billing = KafkaRecords.<String, String>consumer("billing")
                .store(store)
                .quarantine(JdbcQuarantine.on(dataSource))
                .failures(FailurePolicy.quarantineAfter(5).quarantineOn(NumberFormatException.class))
                .cache(CaffeineCache.create())
                .build();

        PollLoop<String, String> loop = PollLoop.of(billing, (record, claim) -> ledger.post(record.value()))
                .properties(kafka)
                .topics(topic)
                .build();
        Purger purger = Purger.of(store).start();
        // end::program[]
        this.loop = loop;
        this.purger = purger;
    }

    void run() {
        loop.run();
    }

    /** Ends {@link #run} from another thread. The current message is finished first. */
    void stop() {
        loop.close();
    }

    @Override
    public void close() {
        stop();
        purger.close();
    }
}

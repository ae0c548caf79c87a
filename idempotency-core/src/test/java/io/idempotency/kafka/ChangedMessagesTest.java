package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.FailurePolicy;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A handler that changes its message, here a header of the record, does nothing for one that it has changed before. */
@Tag("rule-1.9")
class ChangedMessagesTest {

    private static final String STATUS = "status";
    private static final String[] MESSAGES = {"a", "lock1", "b", "ill1", "c", "bad1", "d"};

    private final Loops loops = new Loops();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(loops.store);
    private final List<String> effects = new CopyOnWriteArrayList<>();
    private final Set<String> failed = ConcurrentHashMap.newKeySet();

    @AfterEach
    void closeAll() {
        loops.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void areNeverHandedToTheHandlerAgain(boolean isBatch) {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer("classic");
        for (String id : MESSAGES) {
            Broker.send(topic, 0, id, id);
        }

        var consumer = KafkaRecords.<String, String>consumer("billing")
                .store(loops.store)
                .quarantine(quarantine)
                .failures(FailurePolicy.quarantineAfter(2))
                .build();
        loops.start(
                properties,
                topic,
                isBatch
                        ? RecordProcessor.batches(consumer, (records, claims) -> records.forEach(this::accept))
                        : RecordProcessor.of(consumer, (record, claim) -> accept(record)));

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains((long) MESSAGES.length));
        assertThat(effects).containsExactly("a", "lock1", "b", "ill1", "c", "d");
        assertThat(quarantine.list("billing", 10)).containsExactly(new MessageId("billing", "bad1"));
    }

    private void accept(ConsumerRecord<String, String> record) {
        if (record.headers().lastHeader(STATUS) != null) {
            return;
        }
        record.headers().add(STATUS, Broker.bytes("ACCEPT"));
        String value = record.value();
        if (value.startsWith("lock") && failed.add(value)) {
            throw new TransientStoreException("deadlock");
        }
        if (value.startsWith("bad") || (value.startsWith("ill") && failed.add(value))) {
            throw new IllegalStateException(value);
        }
        loops.store.transactions().afterCommit(() -> effects.add(value));
    }
}

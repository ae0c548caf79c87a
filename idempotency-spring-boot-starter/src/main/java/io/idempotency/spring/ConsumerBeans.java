package io.idempotency.spring;

import io.idempotency.ConsumptionListener;
import io.idempotency.DuplicateCache;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.kafka.PayloadCheck;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineStore;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.ObjectProvider;

/** Gives each idempotent consumer the beans that all of them share. */
record ConsumerBeans(
        ObjectProvider<DuplicateCache> cache,
        ObjectProvider<QuarantineStore> quarantine,
        ObjectProvider<ConsumptionListener> listeners,
        ObjectProvider<RecordScope> scope,
        ObjectProvider<PayloadCheck.Content> content) {

    /** Returns whether records that keep failing can be quarantined. */
    boolean haveQuarantine() {
        return quarantine.getIfAvailable() != null;
    }

    /** Returns where messages are quarantined; empty if nowhere. */
    Optional<String> quarantinePlace() {
        return Optional.ofNullable(quarantine.getIfAvailable()).map(Object::toString);
    }

    /** Adds the beans. A journal gets no cache: it knows its ids without a round trip, and a cache took a quarter of the time of its thread. */
    void addTo(IdempotentConsumerBuilder<ConsumerRecord<Object, Object>> builder, ClaimStore store) {
        if (!(store instanceof JournalStore)) {
            cache.ifAvailable(builder::cache);
        }
        quarantine.ifAvailable(builder::quarantine);
        listeners.orderedStream().forEach(builder::listener);
        scope.ifAvailable(builder::scope);
    }
}

package io.idempotency.spring;

import io.idempotency.ConsumptionListener;
import io.idempotency.DuplicateCache;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.kafka.PayloadCheck;
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

    void addTo(IdempotentConsumerBuilder<ConsumerRecord<Object, Object>> builder) {
        cache.ifAvailable(builder::cache);
        quarantine.ifAvailable(builder::quarantine);
        listeners.orderedStream().forEach(builder::listener);
        scope.ifAvailable(builder::scope);
    }
}

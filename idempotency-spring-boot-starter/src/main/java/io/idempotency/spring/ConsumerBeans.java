package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.ConsumptionListener;
import io.idempotency.DuplicateCache;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.kafka.PayloadCheck;
import io.idempotency.store.QuarantineStore;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.ObjectProvider;

/** Gives each idempotent consumer the beans that all of them share. */
record ConsumerBeans(
        ObjectProvider<DuplicateCache> cache,
        ObjectProvider<QuarantineStore> quarantine,
        ObjectProvider<ConsumptionListener> listeners,
        ObjectProvider<RecordScope> scope,
        ObjectProvider<PayloadCheck.Content> content,
        ObjectProvider<Meters> meters) {

    /** Returns whether records that keep failing can be quarantined. */
    boolean haveQuarantine() {
        return quarantine.getIfAvailable() != null;
    }

    void addTo(
            IdempotentConsumerBuilder<ConsumerRecord<Object, Object>> builder,
            ListenerDefinition listener,
            ConsistencyLevel level) {
        cache.ifAvailable(builder::cache);
        quarantine.ifAvailable(builder::quarantine);
        listeners.orderedStream().forEach(builder::listener);
        scope.ifAvailable(builder::scope);
        meters.ifAvailable(all -> all.begin(listener.name(), level, listener.isShadow()));
    }
}

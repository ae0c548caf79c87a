package io.idempotency.spring;

import io.idempotency.DuplicateCache;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.QuarantineStore;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Fallback;
import org.springframework.context.annotation.Lazy;

/** Sets up the beans that applications may inject and producers need, whether the starter is switched on or off. */
@Configuration(proxyBeanMethods = false)
class SharedConfiguration {

    /** The store in memory, for tests and for ids that need not survive a restart. */
    @Bean(name = IdempotencyAutoConfiguration.MEMORY_STORE, defaultCandidate = false)
    @Lazy
    @Fallback
    @ConditionalOnMissingBean(name = IdempotencyAutoConfiguration.MEMORY_STORE)
    MemoryStore idempotencyMemoryStore() {
        return MemoryStore.create();
    }

    /** The quarantine of the store in memory. */
    @Bean
    @ConditionalOnMissingBean(QuarantineStore.class)
    @ConditionalOnProperty(name = "idempotency.store", havingValue = Stores.MEMORY)
    MemoryQuarantine idempotencyMemoryQuarantine(
            @Qualifier(IdempotencyAutoConfiguration.MEMORY_STORE) MemoryStore store) {
        return new MemoryQuarantine(store);
    }

    /** The replays of the quarantine in memory. */
    @Bean
    @ConditionalOnMissingBean(ReplayStore.class)
    @ConditionalOnBean(MemoryQuarantine.class)
    ReplayStore idempotencyMemoryReplays(
            @Qualifier(IdempotencyAutoConfiguration.MEMORY_STORE) MemoryStore store,
            MemoryQuarantine quarantine,
            ObjectProvider<ListenerReplays> listeners) {
        return WakingReplays.of(new MemoryReplays(store, quarantine), listeners);
    }

    @Bean
    ProducerSetup idempotencyProducerSetup(IdempotencyProperties properties) {
        return new ProducerSetup(properties);
    }

    @Bean
    @ConditionalOnMissingBean
    QuarantineRecoverer idempotencyQuarantineRecoverer() {
        return new QuarantineRecoverer();
    }

    /** Sets up the cache of known duplicates, if Caffeine is on the class path. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = "com.github.benmanes.caffeine.cache.Caffeine")
    static class CacheConfiguration {

        @Bean
        @ConditionalOnMissingBean(DuplicateCache.class)
        DuplicateCache idempotencyCache(IdempotencyProperties properties) {
            Duration time = Collections.min(List.of(
                    properties.cache().time(),
                    properties.retention(),
                    properties.journal().retention()));
            return properties.cache().size() == 0
                    ? DuplicateCache.none()
                    : CaffeineCache.of(properties.cache().size(), time);
        }
    }
}

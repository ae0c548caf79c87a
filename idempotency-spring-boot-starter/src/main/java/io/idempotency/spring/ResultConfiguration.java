package io.idempotency.spring;

import io.idempotency.jdbc.JdbcResults;
import io.idempotency.memory.MemoryResults;
import io.idempotency.memory.MemoryStore;
import io.idempotency.results.ResultCodec;
import io.idempotency.results.Steps;
import io.idempotency.store.ResultStore;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.DependsOn;
import org.springframework.context.annotation.Lazy;
import tools.jackson.databind.json.JsonMapper;

/** Sets up what keeps answers and results of steps. The beans are created when the application injects one. */
@Configuration(proxyBeanMethods = false)
class ResultConfiguration {

    /** Results in the database of the default store. */
    @Configuration(proxyBeanMethods = false)
    @Conditional({StoreDataSource.Condition.class, DatabaseConfiguration.IsWanted.class})
    static class Database {

        @Bean
        @Lazy
        @ConditionalOnMissingBean(ResultStore.class)
        @DependsOn(DatabaseConfiguration.SCHEMA)
        @DependsOnDatabaseInitialization
        JdbcResults idempotencyResults(
                StoreDataSource dataSource, IdempotencyProperties properties, ObjectProvider<Purges> purges) {
            JdbcResults results = JdbcResults.on(dataSource.value())
                    .tablePrefix(properties.schema().tablePrefix())
                    .schema(properties.schema().name());
            purges.ifAvailable(purge -> purge.add(results));
            return results;
        }
    }

    @Bean
    @Lazy
    @ConditionalOnMissingBean(ResultStore.class)
    @ConditionalOnProperty(name = "idempotency.store", havingValue = Stores.MEMORY)
    MemoryResults idempotencyMemoryResults(@Qualifier(IdempotencyAutoConfiguration.MEMORY_STORE) MemoryStore store) {
        return new MemoryResults(store);
    }

    /** Results as JSON, if Jackson is on the class path. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(JsonMapper.class)
    static class Json {

        @Bean
        @Lazy
        @ConditionalOnMissingBean
        ResultCodec idempotencyResultCodec(ObjectProvider<JsonMapper> json) {
            return new JsonResults(json.getIfUnique(JsonMapper::shared));
        }
    }

    @Bean
    @Lazy
    @ConditionalOnBean({ResultStore.class, ResultCodec.class})
    @ConditionalOnMissingBean
    Steps idempotencySteps(ResultStore results, ResultCodec codec) {
        return Steps.in(results, codec);
    }
}

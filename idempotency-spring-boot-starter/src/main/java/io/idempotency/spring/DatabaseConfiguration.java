package io.idempotency.spring;

import io.idempotency.AuditWatch;
import io.idempotency.ConsumerStores;
import io.idempotency.Operations;
import io.idempotency.jdbc.JdbcAudit;
import io.idempotency.jdbc.JdbcOffsets;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.JournalStoreBuilder;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.TableStore;
import io.idempotency.micrometer.IdempotencyMeters;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.PurgeListener;
import io.idempotency.store.QuarantineStore;
import java.util.Optional;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.DependsOn;
import org.springframework.context.annotation.Fallback;
import org.springframework.context.annotation.Lazy;
import org.springframework.kafka.core.KafkaAdmin;

/** Sets up the stores in the database, with schema, quarantine and purge. A store is created when a listener needs it, and purged from then on. */
@Configuration(proxyBeanMethods = false)
@Conditional({StoreDataSource.Condition.class, DatabaseConfiguration.IsWanted.class})
class DatabaseConfiguration {

    static final String SCHEMA = "idempotencySchema";
    static final String OFFSETS = "idempotencyOffsets";
    private static final String QUARANTINE = "idempotencyQuarantine";

    /** Matches if the default store is in the database. */
    static final class IsWanted extends AnyNestedCondition {

        IsWanted() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnProperty(name = "idempotency.store", havingValue = Stores.TABLE, matchIfMissing = true)
        static final class Table {}

        @ConditionalOnProperty(name = "idempotency.store", havingValue = Stores.JOURNAL)
        static final class Journal {}
    }

    @Bean
    StoreDataSource idempotencyDataSource(
            ObjectProvider<DataSource> all, @IdempotencyDataSource ObjectProvider<DataSource> marked) {
        return StoreDataSource.of(all, marked);
    }

    @Bean(name = SCHEMA)
    SchemaCreation idempotencySchema(StoreDataSource dataSource, IdempotencyProperties properties) {
        return new SchemaCreation(dataSource.value(), properties);
    }

    @Bean
    StoreTransactions idempotencyTransactions(
            StoreDataSource dataSource, ConfigurableListableBeanFactory beans, IdempotencyProperties properties) {
        return new StoreTransactions(dataSource.value(), beans, properties.transactionManager());
    }

    @Bean(name = IdempotencyAutoConfiguration.TABLE_STORE)
    @Lazy
    @ConditionalOnMissingBean(ClaimStore.class)
    @DependsOn(SCHEMA)
    @DependsOnDatabaseInitialization
    TableStore idempotencyTableStore(
            StoreTransactions transactions, IdempotencyProperties properties, ObjectProvider<Purges> purges) {
        TableStore store = TableStore.builder(transactions.dataSource())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name())
                .claimTimeout(properties.claimTimeout())
                .unjudged(properties.unjudged())
                .transactionManager(transactions.manager())
                .build();
        purges.ifAvailable(purge -> purge.begin(store, properties.retention()));
        return store;
    }

    /** A fallback beside the table store, which is injected as the {@code ClaimStore}. */
    @Bean(name = IdempotencyAutoConfiguration.JOURNAL_STORE)
    @Lazy
    @Fallback
    @ConditionalOnMissingBean(JournalStore.class)
    @DependsOn(SCHEMA)
    @DependsOnDatabaseInitialization
    JournalStore idempotencyJournalStore(
            StoreTransactions transactions,
            IdempotencyProperties properties,
            KafkaTopics topics,
            ObjectProvider<Purges> purges,
            ObjectProvider<IdempotencyMeters> meters) {
        IdempotencyProperties.Journal journal = properties.journal();
        JournalStoreBuilder builder = JournalStore.builder(transactions.dataSource())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name())
                .claimTimeout(properties.claimTimeout())
                .transactionManager(transactions.manager())
                .retention(journal.retention())
                .archiveAfter(journal.archiveAfter())
                .unjudged(properties.unjudged())
                .streams(topics::stream)
                .partitions(topics::partitions);
        if (journal.memory() != null) {
            builder.memory(journal.memory().toBytes());
        }
        if (journal.forgetOldestIfFull()) {
            builder.forgetOldestIfFull();
        }
        if (journal.acceptMissedDuplicates()) {
            builder.acceptMissedDuplicates();
        }
        JournalStore store = builder.build();
        purges.ifAvailable(purge -> purge.begin(store, journal.retention()));
        meters.ifAvailable(gauges -> gauges.journals(store));
        return store;
    }

    @Bean
    KafkaTopics idempotencyKafkaTopics(ObjectProvider<KafkaAdmin> kafka, IdempotencyProperties properties) {
        return new KafkaTopics(kafka.getIfUnique(), properties.journal());
    }

    /** Closed before the data source. */
    @Bean
    @ConditionalOnMissingBean(Purger.class)
    @ConditionalOnBooleanProperty(
            name = {"idempotency.enabled", "idempotency.purge.enabled"},
            matchIfMissing = true)
    Purges idempotencyPurges(
            StoreDataSource dataSource,
            IdempotencyProperties properties,
            AuditStore audit,
            ObjectProvider<QuarantineStore> quarantine,
            ObjectProvider<PurgeListener> listener) {
        return new Purges(properties, audit, quarantine, listener);
    }

    @Bean
    @ConditionalOnMissingBean(AuditStore.class)
    JdbcAudit idempotencyAudit(StoreDataSource dataSource, IdempotencyProperties properties) {
        return JdbcAudit.on(dataSource.value())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name());
    }

    /** The stores as operators see them: nothing is purged because of them, and no journal is held in memory. */
    @Bean
    @Lazy
    @ConditionalOnMissingBean
    @DependsOn(SCHEMA)
    @DependsOnDatabaseInitialization
    ConsumerStores idempotencyConsumerStores(StoreTransactions transactions, IdempotencyProperties properties) {
        TableStore table = TableStore.builder(transactions.dataSource())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name())
                .claimTimeout(properties.claimTimeout())
                .transactionManager(transactions.manager())
                .build();
        JournalStore journal = JournalStore.builder(transactions.dataSource())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name())
                .claimTimeout(properties.claimTimeout())
                .transactionManager(transactions.manager())
                .build();
        return ConsumerStores.of(table, journal);
    }

    /** Serves the consumers of tables and journals, each on its store; those of other applications on the one that remembers them. */
    @Bean
    @Lazy
    @ConditionalOnMissingBean
    Operations idempotencyOperations(
            Consumers consumers,
            ConsumerStores stores,
            AuditStore audit,
            QuarantineStore quarantine,
            ObjectProvider<ReplayStore> replays) {
        return Operations.of(
                consumer -> consumers.operated(consumer, stores),
                quarantine,
                Optional.ofNullable(replays.getIfUnique()),
                audit);
    }

    /** Lets the caches of this process forget what operators forget elsewhere. */
    @Bean
    @DependsOn(SCHEMA)
    @DependsOnDatabaseInitialization
    AuditWatch idempotencyAuditWatch(AuditStore audit) {
        return AuditWatch.start(audit);
    }

    @Bean(name = QUARANTINE)
    @ConditionalOnMissingBean(QuarantineStore.class)
    JdbcQuarantine idempotencyQuarantine(StoreDataSource dataSource, IdempotencyProperties properties) {
        return JdbcQuarantine.on(dataSource.value())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name())
                .claimTimeout(properties.claimTimeout());
    }

    @Bean(name = OFFSETS)
    @ConditionalOnMissingBean(OffsetStore.class)
    JdbcOffsets idempotencyOffsets(StoreDataSource dataSource, IdempotencyProperties properties) {
        return JdbcOffsets.on(dataSource.value())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name());
    }

    /** The replays of the starter's own quarantine. */
    @Bean
    @ConditionalOnMissingBean(ReplayStore.class)
    @ConditionalOnBean(name = QUARANTINE)
    ReplayStore idempotencyReplays(
            StoreDataSource dataSource, IdempotencyProperties properties, ObjectProvider<ListenerReplays> listeners) {
        return WakingReplays.of(
                JdbcReplays.on(dataSource.value())
                        .tablePrefix(properties.schema().tablePrefix())
                        .schema(properties.schema().name())
                        .claimTimeout(properties.claimTimeout()),
                listeners);
    }
}

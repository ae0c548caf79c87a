package io.idempotency.spring;

import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.jdbc.Unjudged;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.TransactionRunner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.BeanNotOfRequiredTypeException;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.transaction.PlatformTransactionManager;

/** Finds the store of a listener by its kind or by the name of its bean. */
final class Stores {

    static final String TABLE = "table";
    static final String JOURNAL = "journal";
    static final String MEMORY = "memory";

    /** The bean that exists if a data source is chosen for the tables. */
    private static final String DATABASE = "idempotencyDataSource";

    private final IdempotencyProperties properties;
    private final ListableBeanFactory beans;

    Stores(IdempotencyProperties properties, ListableBeanFactory beans) {
        this.properties = properties;
        this.beans = beans;
    }

    /** Returns the transaction manager of the listener's claims, if its store is a database store of the starter. */
    Optional<PlatformTransactionManager> transactionManager(ListenerDefinition listener) {
        return transactions(listener).map(StoreTransactions::manager);
    }

    /** Returns transactions like those given, with other transaction managers kept off them. */
    TransactionRunner guarded(ListenerDefinition listener, TransactionRunner transactions) {
        return transactions(listener).map(of -> of.guarded(transactions)).orElse(transactions);
    }

    private Optional<StoreTransactions> transactions(ListenerDefinition listener) {
        ClaimStore store = of(listener);
        boolean isOurs = store instanceof TableStore && isBean(store, IdempotencyAutoConfiguration.TABLE_STORE);
        return isOurs || isOurJournal(store) ? Optional.of(beans.getBean(StoreTransactions.class)) : Optional.empty();
    }

    /**
     * Returns where the settled offsets of a listener are stored: in the starter's own tables, or where the application says.
     *
     * @throws ListenerRefusedException if that is not beside the listener's ids
     */
    OffsetStore offsets(ListenerDefinition listener) {
        new TenantChecks(beans).requireOneDatabase(listener);
        boolean isOurs = beans.containsBean(DatabaseConfiguration.OFFSETS);
        Optional<OffsetStore> there = isOurs && transactions(listener).isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(beans.getBeanProvider(OffsetStore.class).getIfUnique());
        return there.orElseThrow(() -> new ListenerRefusedException(
                listener + " is to start from the store, but its store, " + asked(listener)
                        + ", is none of the starter's, and there is no OffsetStore on its data: whoever forgets a message could not forget the offsets that are settled",
                "Use the store table or journal, or define an OffsetStore bean, such as JdbcOffsets.on(dataSource), on the data of the store, or remove "
                        + StartingConsumers.property(listener) + "."));
    }

    private boolean isOurJournal(ClaimStore store) {
        return store instanceof JournalStore && isBean(store, IdempotencyAutoConfiguration.JOURNAL_STORE);
    }

    private boolean isBean(ClaimStore store, String name) {
        return beans.containsBean(name) && store == beans.getBean(name);
    }

    /** Returns how long the listener's messages are remembered, if its store is a database store of the starter. */
    Optional<Duration> retention(ListenerDefinition listener) {
        ClaimStore store = of(listener);
        if (isOurJournal(store)) {
            return Optional.of(properties.journal().retention());
        }
        return isBean(store, IdempotencyAutoConfiguration.TABLE_STORE)
                ? Optional.of(properties.retention())
                : Optional.empty();
    }

    /**
     * Returns how long the listener's messages are remembered, if later copies would be processed again. A journal recognises records that are too
     * old to judge, and processes them only if it is told to.
     */
    Optional<Duration> rememberedFor(ListenerDefinition listener) {
        if (!isOurJournal(of(listener))) {
            return Optional.of(properties.retention());
        }
        return properties.unjudged() == Unjudged.PROCESS
                ? Optional.of(properties.journal().retention())
                : Optional.empty();
    }

    /** Returns the starter's table store, or the user's own store instead of it; never the one in memory. */
    private ClaimStore durable() {
        if (beans.containsBean(IdempotencyAutoConfiguration.TABLE_STORE)) {
            return beans.getBean(IdempotencyAutoConfiguration.TABLE_STORE, ClaimStore.class);
        }
        List<String> names = new ArrayList<>(List.of(beans.getBeanNamesForType(ClaimStore.class)));
        names.remove(IdempotencyAutoConfiguration.MEMORY_STORE);
        names.remove(IdempotencyAutoConfiguration.JOURNAL_STORE);
        if (names.isEmpty()) {
            throw new NoSuchBeanDefinitionException(ClaimStore.class, "there is no data source");
        }
        return names.size() == 1 ? beans.getBean(names.get(0), ClaimStore.class) : beans.getBean(ClaimStore.class);
    }

    /** Returns the starter's journal store, or the user's own one. */
    private ClaimStore journal() {
        return beans.containsBean(IdempotencyAutoConfiguration.JOURNAL_STORE)
                ? beans.getBean(IdempotencyAutoConfiguration.JOURNAL_STORE, ClaimStore.class)
                : beans.getBean(JournalStore.class);
    }

    /** Returns whether the application has a database that listeners may write to. */
    boolean hasDataSource() {
        return beans.getBeanNamesForType(DataSource.class, true, false).length > 0;
    }

    /** Returns the kind or the bean name of the store that a property or the listener asks for. */
    String asked(ListenerDefinition listener) {
        return listener.store().isEmpty() ? asked(listener.name()) : configured(listener.name(), listener.store());
    }

    /** Returns the kind or the bean name of the store that the properties ask for. */
    String asked(String consumer) {
        return configured(consumer, properties.store());
    }

    private String configured(String consumer, String otherwise) {
        String configured = properties.consumer(consumer).store();
        return configured == null ? otherwise : configured;
    }

    /**
     * Returns the store for the verbs of operators.
     *
     * @throws IdempotencyException if it is neither a table nor a journal: only these share their transactions with the quarantine and the audit
     */
    ClaimStore operated(String consumer, String asked) {
        return switch (asked) {
            case TABLE -> durable();
            case JOURNAL -> journal();
            default ->
                throw new IdempotencyException(
                        "Consumer " + consumer + " has the store " + asked
                                + ", and the bean Operations serves those with a table or a journal. Build Operations.of(..) on its store");
        };
    }

    ClaimStore of(ListenerDefinition listener) {
        String asked = asked(listener);
        try {
            return switch (asked) {
                case TABLE -> durable();
                case JOURNAL -> journal();
                case MEMORY -> beans.getBean(IdempotencyAutoConfiguration.MEMORY_STORE, ClaimStore.class);
                default -> beans.getBean(asked, ClaimStore.class);
            };
        } catch (NoSuchBeanDefinitionException | BeanNotOfRequiredTypeException e) {
            throw new ListenerRefusedException(
                    "The store " + asked + " of " + listener + " is not there: " + why(asked, e),
                    "Name table, journal, memory or a ClaimStore bean, by store = \"..\" at the listener, idempotency.consumers."
                            + listener.name()
                            + ".store or idempotency.store. Table and journal need a data source, and idempotency.store to be one of the"
                            + " two. If there are several data sources, mark the one that the listeners write to with"
                            + " @IdempotencyDataSource, or make it primary.");
        }
    }

    private String why(String asked, BeansException failure) {
        List<String> sources = List.of(beans.getBeanNamesForType(DataSource.class));
        boolean isInDatabase = Set.of(TABLE, JOURNAL).contains(asked);
        if (!isInDatabase || beans.containsBean(DATABASE)) {
            return String.valueOf(failure.getMessage());
        }
        if (!Set.of(TABLE, JOURNAL).contains(properties.store())) {
            return "idempotency.store is " + properties.store() + ", so there are no tables";
        }
        return sources.isEmpty()
                ? "there is no data source"
                : "there are several data sources, " + String.join(", ", sources)
                        + ", and none of them is marked with @IdempotencyDataSource or primary";
    }
}

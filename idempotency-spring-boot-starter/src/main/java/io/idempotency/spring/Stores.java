package io.idempotency.spring;

import io.idempotency.jdbc.TableStore;
import io.idempotency.store.ClaimStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.transaction.PlatformTransactionManager;

/** Finds the store that a listener asks for: a kind, or the name of a bean. */
final class Stores {

    static final String TABLE = "table";
    static final String MEMORY = "memory";

    private final IdempotencyProperties properties;
    private final ListableBeanFactory beans;

    Stores(IdempotencyProperties properties, ListableBeanFactory beans) {
        this.properties = properties;
        this.beans = beans;
    }

    /** Returns the manager of the transactions that the listener's claims are in, if its store is the table store of the starter. */
    Optional<PlatformTransactionManager> transactionManager(ListenerDefinition listener) {
        return of(listener) instanceof TableStore store
                        && beans.containsBean(IdempotencyAutoConfiguration.TABLE_STORE)
                        && store == beans.getBean(IdempotencyAutoConfiguration.TABLE_STORE)
                ? Optional.of(beans.getBean(StoreTransactions.class).manager())
                : Optional.empty();
    }

    /** Returns the starter's table store, or the user's own store instead of it; never the one in memory. */
    private ClaimStore durable() {
        if (beans.containsBean(IdempotencyAutoConfiguration.TABLE_STORE)) {
            return beans.getBean(IdempotencyAutoConfiguration.TABLE_STORE, ClaimStore.class);
        }
        List<String> names = new ArrayList<>(List.of(beans.getBeanNamesForType(ClaimStore.class)));
        names.remove(IdempotencyAutoConfiguration.MEMORY_STORE);
        if (names.isEmpty()) {
            throw new NoSuchBeanDefinitionException(ClaimStore.class, "there is no data source");
        }
        return names.size() == 1 ? beans.getBean(names.get(0), ClaimStore.class) : beans.getBean(ClaimStore.class);
    }

    ClaimStore of(ListenerDefinition listener) {
        String configured = properties.consumer(listener.name()).store();
        String asked =
                configured != null ? configured : listener.store().isEmpty() ? properties.store() : listener.store();
        try {
            return switch (asked) {
                case TABLE -> durable();
                case MEMORY -> beans.getBean(IdempotencyAutoConfiguration.MEMORY_STORE, ClaimStore.class);
                default -> beans.getBean(asked, ClaimStore.class);
            };
        } catch (NoSuchBeanDefinitionException e) {
            throw new ListenerRefusedException(
                    "The store " + asked + " of " + listener + " is not there: " + e.getMessage(),
                    "Name table, memory, or a bean that is a ClaimStore. The table store needs a data source; of several, mark"
                            + " the one that the listeners write to with @IdempotencyDataSource, or make it primary.");
        }
    }
}

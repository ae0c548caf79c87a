package io.idempotency.spring;

import io.idempotency.store.TransactionRunner;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.BeanWrapper;
import org.springframework.beans.PropertyAccessorFactory;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.beans.factory.annotation.BeanFactoryAnnotationUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionExecutionListener;

/**
 * Finds the transaction manager of the store's data source. The type alone does not decide: the only manager may be Kafka's, or that of another data
 * source, and effects and claims would not commit together. Other managers of the data source are kept off the transactions of claims.
 */
final class StoreTransactions {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final DataSource dataSource;
    private final ConfigurableListableBeanFactory beans;
    private final @Nullable String chosen;
    private volatile @Nullable PlatformTransactionManager found;
    private volatile boolean hasOthers;

    StoreTransactions(DataSource dataSource, ConfigurableListableBeanFactory beans, @Nullable String chosen) {
        this.dataSource = dataSource;
        this.beans = beans;
        this.chosen = chosen;
    }

    DataSource dataSource() {
        return dataSource;
    }

    /**
     * Returns the manager of the data source, for JDBC or JPA; of several, the one that the property names, or the primary one.
     *
     * @throws ListenerRefusedException if there is none, or none of several is chosen
     */
    PlatformTransactionManager manager() {
        PlatformTransactionManager known = found;
        if (known == null) {
            known = find();
            found = known;
        }
        return known;
    }

    /** Returns transactions like those given, with the other managers kept off them. */
    TransactionRunner guarded(TransactionRunner transactions) {
        manager();
        return hasOthers ? ManagerGuard.noting(unwrapped(dataSource), transactions) : transactions;
    }

    private PlatformTransactionManager find() {
        Map<String, PlatformTransactionManager> all =
                BeanFactoryUtils.beansOfTypeIncludingAncestors(beans, PlatformTransactionManager.class);
        Map<String, PlatformTransactionManager> managing = new LinkedHashMap<>(all);
        managing.values().removeIf(manager -> !isManaging(manager));
        PlatformTransactionManager named = chosen == null ? null : named(chosen);
        List<String> names = new ArrayList<>(managing.keySet());
        if (chosen != null) {
            names.removeIf(name -> managing.get(name) != named);
        } else if (names.size() > 1) {
            names.removeIf(name -> !isPrimary(name));
        }
        if (names.isEmpty() || (chosen == null && names.size() > 1)) {
            throw new ListenerRefusedException(
                    whyNone(named != null, all.keySet(), managing.keySet()),
                    "Define a JdbcTransactionManager or JpaTransactionManager bean for this very data source, or name one in"
                            + " idempotency.transaction-manager. Spring Boot defines none if there is another one, such as the one that"
                            + " spring.kafka.producer.transaction-id-prefix brings.");
        }
        String name = names.get(0);
        PlatformTransactionManager manager = Objects.requireNonNull(managing.remove(name));
        managing.values().removeIf(other -> other == manager);
        managing.forEach((other, of) -> keepOff(other, of, name));
        return manager;
    }

    /** Returns the manager that has this name, alias or qualifier, as {@code @Transactional} finds it; null if there is none. */
    private @Nullable PlatformTransactionManager named(String name) {
        try {
            return BeanFactoryAnnotationUtils.qualifiedBeanOfType(beans, PlatformTransactionManager.class, name);
        } catch (NoUniqueBeanDefinitionException e) {
            throw new ListenerRefusedException(
                    "Several transaction managers have the name, alias or qualifier " + name
                            + ", which idempotency.transaction-manager names: " + e.getBeanNamesFound(),
                    "Give each of them a name and a qualifier of its own.");
        } catch (NoSuchBeanDefinitionException e) {
            return null;
        }
    }

    private String whyNone(boolean isNamed, Set<String> all, Set<String> managing) {
        String those = managing.isEmpty() ? "none" : String.join(", ", managing);
        if (chosen != null && !isNamed) {
            return "No transaction manager is named " + chosen
                    + ", as idempotency.transaction-manager says. Those of the data source of the idempotency tables: "
                    + those;
        }
        if (chosen != null) {
            return "The transaction manager " + chosen
                    + ", which idempotency.transaction-manager names, does not manage the data source of the idempotency tables."
                    + " Those that do: " + those;
        }
        return managing.isEmpty()
                ? "No transaction manager manages the data source of the idempotency tables; those of others: "
                        + (all.isEmpty() ? "none" : String.join(", ", all))
                : "Several transaction managers manage the data source of the idempotency tables: " + those;
    }

    private void keepOff(String other, PlatformTransactionManager manager, String name) {
        hasOthers = true;
        if (manager instanceof ConfigurableTransactionManager configurable) {
            List<TransactionExecutionListener> listeners =
                    new ArrayList<>(configurable.getTransactionExecutionListeners());
            listeners.add(new ManagerGuard(unwrapped(dataSource), other, name));
            configurable.setTransactionExecutionListeners(listeners);
        }
        if (chosen == null || !(manager instanceof ConfigurableTransactionManager)) {
            log.warn(
                    "Two transaction managers manage the data source of the idempotency tables. Listeners run in transactions of"
                            + " {}, and code that they call must not use {}. If this is intended, set idempotency.transaction-manager={}.",
                    name,
                    other,
                    name);
        }
    }

    private boolean isPrimary(String name) {
        ConfigurableListableBeanFactory of = beans;
        while (!of.containsBeanDefinition(name)
                && of.getParentBeanFactory() instanceof ConfigurableListableBeanFactory parent) {
            of = parent;
        }
        return of.containsBeanDefinition(name) && of.getBeanDefinition(name).isPrimary();
    }

    /** JdbcTransactionManager, JpaTransactionManager and their like have a property with the data source they manage. */
    private boolean isManaging(PlatformTransactionManager manager) {
        BeanWrapper properties = PropertyAccessorFactory.forBeanPropertyAccess(manager);
        return properties.isReadableProperty("dataSource")
                && properties.getPropertyValue("dataSource") instanceof DataSource managed
                && unwrapped(managed) == unwrapped(dataSource);
    }

    /**
     * Returns the data source to which Spring binds connections. A data source that wraps another one counts as different, except for the
     * transaction-aware proxy.
     */
    private static DataSource unwrapped(DataSource dataSource) {
        DataSource inner = dataSource;
        while (inner instanceof TransactionAwareDataSourceProxy aware && aware.getTargetDataSource() != null) {
            inner = aware.getTargetDataSource();
        }
        return inner;
    }
}

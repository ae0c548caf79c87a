package io.idempotency.spring;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeanWrapper;
import org.springframework.beans.PropertyAccessorFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * Finds the transaction manager of the store's data source. Never by type alone: the only one there may be Kafka's, or another data
 * source's, and effects and claims would not commit together.
 */
final class StoreTransactions {

    private final DataSource dataSource;
    private final ConfigurableListableBeanFactory beans;
    private final @Nullable String chosen;

    StoreTransactions(DataSource dataSource, ConfigurableListableBeanFactory beans, @Nullable String chosen) {
        this.dataSource = dataSource;
        this.beans = beans;
        this.chosen = chosen;
    }

    /**
     * Returns the one that manages the data source, JDBC's or JPA's; of several the one that is chosen by the property, or is primary.
     *
     * @throws ListenerRefusedException if there is none, or none of several is chosen
     */
    PlatformTransactionManager manager() {
        Map<String, PlatformTransactionManager> all = beans.getBeansOfType(PlatformTransactionManager.class);
        Map<String, PlatformTransactionManager> managing = new LinkedHashMap<>(all);
        managing.values().removeIf(manager -> !isManaging(manager));
        Set<String> names = new LinkedHashSet<>(managing.keySet());
        if (chosen != null) {
            names.removeIf(name -> !name.equals(chosen));
        } else if (names.size() > 1) {
            names.removeIf(name -> !isPrimary(name));
        }
        if (names.size() != 1) {
            throw new ListenerRefusedException(
                    managing.isEmpty()
                            ? "No transaction manager manages the data source of the idempotency tables; there are "
                                    + all
                            : "Several transaction managers manage the data source of the idempotency tables: "
                                    + managing.keySet(),
                    "Define a JdbcTransactionManager or JpaTransactionManager bean for this very data source (Spring Boot's own"
                            + " is left out where another one is there, such as the one that"
                            + " spring.kafka.producer.transaction-id-prefix brings), or name one by"
                            + " idempotency.transaction-manager.");
        }
        return Objects.requireNonNull(managing.get(names.iterator().next()));
    }

    private boolean isPrimary(String name) {
        return beans.containsBeanDefinition(name)
                && beans.getBeanDefinition(name).isPrimary();
    }

    /** JdbcTransactionManager, JpaTransactionManager and their like have a property with the data source they manage. */
    private boolean isManaging(PlatformTransactionManager manager) {
        BeanWrapper properties = PropertyAccessorFactory.forBeanPropertyAccess(manager);
        return properties.isReadableProperty("dataSource")
                && properties.getPropertyValue("dataSource") instanceof DataSource managed
                && unwrapped(managed) == unwrapped(dataSource);
    }

    /** Spring binds connections by the data source of the manager: one that wraps it, or is wrapped by it, is another one. */
    private static DataSource unwrapped(DataSource dataSource) {
        DataSource inner = dataSource;
        while (inner instanceof TransactionAwareDataSourceProxy aware && aware.getTargetDataSource() != null) {
            inner = aware.getTargetDataSource();
        }
        return inner;
    }
}

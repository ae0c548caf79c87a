package io.idempotency.spring;

import java.util.Set;
import org.springframework.boot.sql.init.dependency.AbstractBeansOfTypeDatabaseInitializerDetector;
import org.springframework.core.Ordered;

/**
 * Has Spring Boot create the idempotency tables after the application's own migrations: Flyway refuses to begin in a schema that is not empty.
 * Whatever depends on an initialized database waits for these tables, too.
 */
final class SchemaCreationDetector extends AbstractBeansOfTypeDatabaseInitializerDetector {

    @Override
    protected Set<Class<?>> getDatabaseInitializerBeanTypes() {
        return Set.of(SchemaCreation.class);
    }

    @Override
    public int getOrder() {
        return Ordered.LOWEST_PRECEDENCE - 50;
    }
}

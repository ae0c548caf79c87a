package io.idempotency.spring;

import io.idempotency.jdbc.Schema;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import javax.sql.DataSource;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.jdbc.EmbeddedDatabaseConnection;

/** Creates or validates the tables, as {@code idempotency.schema.mode} says. Does nothing if the starter is switched off. */
final class SchemaCreation implements InitializingBean {

    private final DataSource dataSource;
    private final IdempotencyProperties.Schema properties;
    private final boolean isEnabled;

    SchemaCreation(DataSource dataSource, IdempotencyProperties properties) {
        this.dataSource = dataSource;
        this.properties = properties.schema();
        this.isEnabled = properties.enabled();
    }

    @Override
    public void afterPropertiesSet() {
        if (!isEnabled) {
            return;
        }
        Schema schema = Schema.on(dataSource).tablePrefix(properties.tablePrefix());
        if (!properties.name().isEmpty()) {
            schema = schema.schema(properties.name());
        }
        switch (properties.mode()) {
            case EMBEDDED -> {
                if (EmbeddedDatabaseConnection.isEmbedded(dataSource)) {
                    schema.create();
                } else {
                    validate(schema);
                }
            }
            case ALWAYS -> schema.create();
            case VALIDATE -> validate(schema);
            case FLYWAY -> migrate(schema);
            case NONE -> {}
        }
    }

    private static void migrate(Schema schema) {
        try {
            schema.migrate();
        } catch (TransientStoreException e) {
            throw e;
        } catch (IdempotencyException e) {
            throw new ListenerRefusedException(
                    "Flyway could not create the idempotency tables. " + e.getMessage(),
                    "Add flyway-core and its module for your database to the class path, such as flyway-database-postgresql, or"
                            + " set idempotency.schema.mode to always.");
        }
    }

    private static void validate(Schema schema) {
        try {
            schema.validate();
        } catch (TransientStoreException e) {
            throw e;
        } catch (IdempotencyException e) {
            throw new ListenerRefusedException(
                    "The idempotency tables are missing or do not fit. " + e.getMessage(),
                    "Run the script above, for example as one of your migrations, or set idempotency.schema.mode to always or flyway.");
        }
    }
}

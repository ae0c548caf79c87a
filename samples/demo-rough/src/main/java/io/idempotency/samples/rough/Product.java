package io.idempotency.samples.rough;

import javax.sql.DataSource;
import org.springframework.jdbc.support.JdbcUtils;
import org.springframework.jdbc.support.MetaDataAccessException;
import org.springframework.stereotype.Component;

/** The database that the service runs on. */
@Component
class Product {

    private final boolean isPostgresql;

    Product(DataSource dataSource) throws MetaDataAccessException {
        isPostgresql = JdbcUtils.extractDatabaseMetaData(dataSource, data -> data.getDatabaseProductName())
                .equals("PostgreSQL");
    }

    boolean isPostgresql() {
        return isPostgresql;
    }
}

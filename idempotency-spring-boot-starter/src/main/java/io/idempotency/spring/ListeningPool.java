package io.idempotency.spring;

import java.util.List;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.jdbc.metadata.CompositeDataSourcePoolMetadataProvider;
import org.springframework.boot.jdbc.metadata.DataSourcePoolMetadata;
import org.springframework.boot.jdbc.metadata.DataSourcePoolMetadataProvider;

/** The pool from which the relay of the outbox takes a connection to listen, for as long as it runs. */
record ListeningPool(DataSource dataSource, List<DataSourcePoolMetadataProvider> providers) {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    /** One to listen, one for a relay that sends, and one for the application. */
    private static final int FEWEST = 3;

    /** Returns whether the pool has enough connections for the application, too; also if it does not say how many it has. */
    boolean hasRoom() {
        DataSourcePoolMetadata pool =
                new CompositeDataSourcePoolMetadataProvider(providers).getDataSourcePoolMetadata(dataSource);
        Integer most = pool == null ? null : pool.getMax();
        if (most == null || most < 0 || most >= FEWEST) {
            return true;
        }
        log.info(
                "The relay of the outbox does not listen for commits of other processes, because that takes a connection of"
                        + " a pool that has {} only. It looks from time to time",
                most);
        return false;
    }
}

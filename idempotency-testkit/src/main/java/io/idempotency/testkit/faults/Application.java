package io.idempotency.testkit.faults;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The application of a test that has one, with its listeners and its database. */
interface Application {

    /** A message that a test sends. */
    record Sent(
            String topic, @Nullable Object key, @Nullable Object value, Map<String, String> headers) {}

    Probe probe();

    /** Returns the only or primary data source. */
    DataSource dataSource();

    /**
     * Requires that the test itself runs in no transaction.
     *
     * @throws MisuseException if it does
     */
    void requireNoTransaction();

    /** Returns the listener of the messages, or the one that is named. */
    Subject listener(List<Sent> messages, Optional<String> listener, Duration patience);
}

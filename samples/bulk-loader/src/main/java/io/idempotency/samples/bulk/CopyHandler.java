package io.idempotency.samples.bulk;

import io.idempotency.BatchFailedException;
import io.idempotency.BatchHandler;
import io.idempotency.store.Claim;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.sql.Connection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * Writes a batch by one {@code COPY}, on the connection of the claim. It names the row that makes no row, and the one that the database refuses, if the database says which.
 * Then the batch need not be bisected. Thread-safe.
 */
final class CopyHandler implements BatchHandler<ConsumerRecord<byte[], byte[]>> {

    /** What PostgreSQL says of a row of {@code COPY} that it refuses. */
    private static final Pattern LINE = Pattern.compile("COPY [^,]+, line (\\d+)");

    private final DataSource dataSource;
    private final String copy;
    private final CopyRows rows;

    /** @param dataSource whose connections join the transaction of the claim, if there is one */
    CopyHandler(DataSource dataSource, LoaderSettings settings) {
        this.dataSource = dataSource;
        this.copy = settings.target().copy();
        this.rows = new CopyRows(settings.values(), settings.target());
    }

    @Override
    public void handle(List<ConsumerRecord<byte[], byte[]>> records, List<Claim> claims) throws Exception {
        ByteArrayOutputStream lines = new ByteArrayOutputStream(records.size() * 64);
        for (int i = 0; i < records.size(); i++) {
            try {
                rows.append(records.get(i), lines);
            } catch (Values.UnusableException e) {
                throw new BatchFailedException(i, e);
            }
        }
        try (Connection connection = dataSource.getConnection()) {
            connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn(copy, new ByteArrayInputStream(lines.toByteArray()));
        } catch (PSQLException e) {
            int line = line(e.getServerErrorMessage());
            throw line > 0 && line <= records.size() ? new BatchFailedException(line - 1, e) : e;
        }
    }

    private static int line(@Nullable ServerErrorMessage message) {
        Matcher line = LINE.matcher(message == null || message.getWhere() == null ? "" : message.getWhere());
        return line.find() ? Integer.parseInt(line.group(1)) : 0;
    }
}

package io.idempotency.jdbc;

import io.idempotency.outbox.RefusedOutput;
import io.idempotency.outbox.RefusedOutputs;
import io.idempotency.outbox.RefusedSummary;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/** The refused outputs in the table of an outbox. Thread-safe. */
record JdbcRefusedOutputs(Connections connections, StoreDatabase database, RefusedRows rows) implements RefusedOutputs {

    @Override
    public List<RefusedSummary> list(Optional<String> topic, long after, int most) {
        return connections.joining(
                "read refused outputs",
                connection -> rows.list(
                        connection, topic, after, database.dialect(connection).first(Math.max(1, most))));
    }

    @Override
    public Optional<RefusedOutput> find(long number) {
        return connections.joining("read a refused output", connection -> rows.find(connection, number));
    }

    @Override
    public SortedMap<String, Long> countByTopic() {
        return connections.joining("count refused outputs", rows::countByTopic);
    }

    @Override
    public boolean resend(long number) {
        return connections.joining("send an output again", connection -> rows.resend(connection, number));
    }

    @Override
    public int resendAll(String topic) {
        return connections.joining("send outputs again", connection -> rows.resendAll(connection, topic));
    }

    @Override
    public boolean discard(long number) {
        return connections.joining("discard an output", connection -> rows.discard(connection, number));
    }
}

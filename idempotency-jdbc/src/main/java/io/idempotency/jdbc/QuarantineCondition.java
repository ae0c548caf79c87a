package io.idempotency.jdbc;

import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.StoredId;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;

/** The condition for chosen rows of the table of quarantined messages, except consumer and partition. Immutable. */
final class QuarantineCondition {

    /** Databases limit the parameters of a list; this many work everywhere. */
    private static final int MOST_IN_LIST = 500;

    private final StringBuilder sql = new StringBuilder();
    private final List<Object> parameters = new ArrayList<>();

    QuarantineCondition(QuarantineSelection selection, Dialect dialect) {
        selection.failureType().ifPresent(type -> and("q.failure_type = ?", QuarantineRows.type(type)));
        selection.failureGroup().ifPresent(group -> and("q.failure_group = ?", group));
        selection.from().ifPresent(moment -> and("q.first_at_micros >= ?", StoredTime.microsUp(moment)));
        selection.to().ifPresent(moment -> and("q.first_at_micros < ?", StoredTime.microsUp(moment)));
        if (selection.partition().isPresent()) {
            and("q.record_offset >= ?", selection.firstOffset());
            and("q.record_offset <= ?", selection.lastOffset());
        }
        if (!selection.ids().isEmpty()) {
            andIn(selection.ids(), dialect);
        }
    }

    private void and(String condition, Object parameter) {
        sql.append(" and ").append(condition);
        parameters.add(parameter);
    }

    private void andIn(List<String> ids, Dialect dialect) {
        List<UUID> keys = ids.stream().map(StoredId::of).distinct().toList();
        List<String> lists = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += MOST_IN_LIST) {
            List<UUID> some = keys.subList(from, Math.min(keys.size(), from + MOST_IN_LIST));
            lists.add(some.stream().map(key -> "?").collect(Collectors.joining(", ", "q.message_id in (", ")")));
            some.forEach(key -> parameters.add(dialect.id(key)));
        }
        sql.append(" and (").append(String.join(" or ", lists)).append(")");
    }

    /** Returns the condition, which begins with {@code and} unless it is empty. The table is called q. */
    String sql() {
        return sql.toString();
    }

    /** Sets its parameters from an index on. Returns the index after the last one. */
    int set(PreparedStatement statement, int from) throws SQLException {
        int at = from;
        for (Object parameter : parameters) {
            statement.setObject(at++, parameter);
        }
        return at;
    }
}

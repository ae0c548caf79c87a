package io.idempotency.jdbc;

import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineGroup;
import io.idempotency.store.QuarantineGroups;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** Counts chosen rows of the table of quarantined messages by group, type and hour, in one statement. Immutable. */
record QuarantineGrouping(Tables tables, QuarantineCondition condition) {

    private static final long DAY_MICROS = StoredTime.micros(Duration.ofHours(QuarantineGroup.HOURS));

    /** The inner query names the hour: in the list of an outer one, its parameters would count as other ones. */
    private static final String GROUPS = """
            select c.failure_group, c.failure_type, c.hours_ago, count(*), min(c.at_first), max(c.at_first) from (
                select q.failure_group, q.failure_type, q.first_at_micros as at_first,
                    case when q.first_at_micros > ? then floor((? - q.first_at_micros) / 3600000000) else 24 end as hours_ago
                from ${tables}quarantine q where q.consumer = ? ${condition} ${places}) c
            group by c.failure_group, c.failure_type, c.hours_ago
            """;

    /** @param places the numbers of the partitions; empty for all */
    QuarantineGroups of(Connection connection, int consumer, List<Long> places, long now) throws SQLException {
        QuarantineGroups groups = new QuarantineGroups();
        String sql =
                tables.fill(GROUPS).replace("${condition}", condition.sql()).replace("${places}", in(places));
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, now - DAY_MICROS);
            statement.setLong(2, now);
            statement.setInt(3, consumer);
            condition.set(statement, 4);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    groups.add(
                            new QuarantineFailure(row.getString(2), row.getString(1), ""),
                            row.getInt(3),
                            row.getLong(4),
                            StoredTime.instant(row.getLong(5)),
                            StoredTime.instant(row.getLong(6)));
                }
            }
        }
        return groups;
    }

    private static String in(List<Long> places) {
        return places.isEmpty()
                ? ""
                : places.stream().map(String::valueOf).collect(Collectors.joining(", ", "and q.place in (", ")"));
    }
}

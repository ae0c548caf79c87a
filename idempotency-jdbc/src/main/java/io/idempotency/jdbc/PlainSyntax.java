package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;

/** In what the databases differ that share the plain statements, beside {@link PlainTypes}. */
enum PlainSyntax {
    HSQLDB("HSQL Database Engine", "current_timestamp", "fetch first %d rows only", 100, true),
    DERBY("Apache Derby", "current_timestamp", "fetch first %d rows only", 100, true),
    /** By the local time of the server: before version 4 it has no other. */
    FIREBIRD(
            "Firebird",
            "datediff(millisecond from timestamp '1970-01-01 00:00:00' to cast(current_timestamp as timestamp)) * 1000",
            "fetch first %d rows only",
            1,
            true),
    MYSQL(
            "MySQL",
            "timestampdiff(microsecond, timestamp'1970-01-01 00:00:00', utc_timestamp(6))",
            "limit %d",
            100,
            false),
    /** Several rows in one {@code values} came with version 23. */
    ORACLE("Oracle", "current_timestamp", "fetch first %d rows only", 1, false),
    SQLSERVER(
            "Microsoft SQL Server",
            "datediff_big(microsecond, '1970-01-01', sysutcdatetime())",
            "offset 0 rows fetch first %d rows only",
            100,
            false),
    /** A database that nobody has tried, by the letter of the standard. */
    ANSI("", "current_timestamp", "fetch first %d rows only", 100, false);

    private final String product;
    private final String clock;
    private final String first;
    private final int rowsAtOnce;
    private final boolean isTested;

    PlainSyntax(String product, String clock, String first, int rowsAtOnce, boolean isTested) {
        this.product = product;
        this.clock = clock;
        this.first = first;
        this.rowsAtOnce = rowsAtOnce;
        this.isTested = isTested;
    }

    static PlainSyntax of(Connection connection) throws SQLException {
        DatabaseMetaData database = connection.getMetaData();
        for (PlainSyntax each : values()) {
            if (database.getDatabaseProductName().startsWith(each.product)) {
                return each;
            }
        }
        return ANSI;
    }

    /** Returns the expression for the time: microseconds since 1970, or a timestamp. */
    String clock() {
        return clock;
    }

    /** Returns the clause with which an ordered query has its first rows only. */
    String first(int rows) {
        return first.formatted(rows);
    }

    /** Returns how many rows one insert may have; with 1, several are a batch. */
    int rowsAtOnce() {
        return rowsAtOnce;
    }

    /** Returns whether the store contracts are kept on the database in the tests of this library. */
    boolean isTested() {
        return isTested;
    }
}

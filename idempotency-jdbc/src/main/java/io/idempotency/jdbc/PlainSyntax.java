package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;

/** The differences between the databases that share the plain statements, besides {@link PlainTypes}. */
enum PlainSyntax {
    HSQLDB("HSQL Database Engine", "current_timestamp", "fetch first %d rows only", 100, true),
    DERBY("Apache Derby", "current_timestamp", "fetch first %d rows only", 100, true),
    /** Its clock is the local time of the server; before version 4 it has no other. */
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
    /** Version 23 is the first that takes several rows in one {@code values}. */
    ORACLE("Oracle", "current_timestamp", "fetch first %d rows only", 1, false),
    SQLSERVER(
            "Microsoft SQL Server",
            "datediff_big(microsecond, '1970-01-01', sysutcdatetime())",
            "offset 0 rows fetch first %d rows only",
            100,
            false),
    /** Any other database: standard SQL that nobody has tried there. */
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

    /** Returns the clause that limits an ordered query to its first rows. */
    String first(int rows) {
        return first.formatted(rows);
    }

    /** Returns how many rows one insert may have; with 1, several rows are one batch. */
    int rowsAtOnce() {
        return rowsAtOnce;
    }

    /** Returns whether the tests of this library run the store contracts on the database. */
    boolean isTested() {
        return isTested;
    }
}

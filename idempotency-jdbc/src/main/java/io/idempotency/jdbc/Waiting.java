package io.idempotency.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** How a query waits at most the claim timeout, for rows as for tables, where the database can be told so. */
class Waiting {

    private final String before;

    /** @param before what is to stand before the query */
    Waiting(String before) {
        this.before = before;
    }

    /** Returns the query so that its waiting has an end; {@link #run} is to run it. */
    String bounded(String query) {
        return before + query;
    }

    /** Runs a query that is bounded, and returns its result. */
    ResultSet run(PreparedStatement statement) throws SQLException {
        return statement.executeQuery();
    }
}

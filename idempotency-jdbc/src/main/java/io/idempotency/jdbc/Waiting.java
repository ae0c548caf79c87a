package io.idempotency.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Bounds the wait of a query for rows and tables to the claim timeout, if the database can. */
class Waiting {

    private final String before;

    /** @param before a prefix of the query */
    Waiting(String before) {
        this.before = before;
    }

    /** Returns the query with a bounded wait; run it by {@link #run}. */
    String bounded(String query) {
        return before + query;
    }

    /** Runs a bounded query and returns its result. */
    ResultSet run(PreparedStatement statement) throws SQLException {
        return statement.executeQuery();
    }
}

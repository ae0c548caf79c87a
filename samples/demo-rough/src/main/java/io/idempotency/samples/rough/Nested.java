package io.idempotency.samples.rough;

import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Runs in a nested transaction, which is rolled back alone if it fails. */
@Service
@Transactional(propagation = Propagation.NESTED)
class Nested {

    private final JdbcTemplate jdbc;

    Nested(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    void note(int number) {
        jdbc.update("insert into aside (message) values (?)", number);
    }

    void fail(int number) {
        note(number);
        throw new IllegalStateException("The nested service fails");
    }
}

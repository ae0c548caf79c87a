package io.idempotency.samples.rough;

import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Writes rows in a transaction of its own. */
@Service
@Transactional(propagation = Propagation.REQUIRES_NEW)
class Aside {

    private final JdbcTemplate jdbc;

    Aside(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    /** Writes a line, perhaps more than once. */
    void note(int number) {
        jdbc.update("insert into aside (message) values (?)", number);
    }

    void fail(int number) {
        note(number);
        throw new IllegalStateException("The service with a transaction of its own fails");
    }

    /** Notes that a transaction was committed by the library. */
    void settled(String tx) {
        jdbc.update("insert into settled (tx) values (?)", tx);
    }

    /** Notes a problem. */
    void problem(String text) {
        jdbc.update("insert into problem (text) values (?)", text);
    }

    boolean isDead(int number) {
        return !jdbc.queryForList("select message from death where message = ?", number)
                .isEmpty();
    }

    /** Notes that the process is about to be killed. */
    void dies(int number) {
        jdbc.update("insert into death (message) values (?)", number);
    }
}

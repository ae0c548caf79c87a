package io.idempotency.database;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A password is passed to other processes, and nowhere else. */
class DatabaseTest {

    private final Database database = new Database("jdbc:x", "somebody", "secret");

    @Test
    void tellsOtherProcessesByTheirEnvironment() {
        assertThat(database.environment())
                .containsEntry("JDBC_URL", "jdbc:x")
                .containsEntry("JDBC_USER", "somebody")
                .containsEntry("JDBC_PASSWORD", "secret");
    }

    @Test
    void keepsItsPasswordOutOfTexts() {
        assertThat(database.toString()).isEqualTo("jdbc:x");
    }
}

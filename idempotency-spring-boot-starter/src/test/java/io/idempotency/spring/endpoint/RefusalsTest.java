package io.idempotency.spring.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.TransientStoreException;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class RefusalsTest {

    /** Whoever is called at night does not look for a database that works. */
    @Test
    void aRequestThatAnotherOneForestalledIsAConflict() {
        var busy = Refusals.of(new TransientStoreException("Another request has just taken all messages"));

        assertThat(busy.getStatus()).isEqualTo(409);
        assertThat(busy.getBody()).isEqualTo(new Answers.Refusal("Another request has just taken all messages"));
    }

    @Test
    void aDatabaseThatDoesNotAnswerIsUnavailable() {
        var away = Refusals.of(new TransientStoreException("Could not claim for now", new SQLException("gone")));

        assertThat(away.getStatus()).isEqualTo(503);
    }
}

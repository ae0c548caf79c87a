package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.IdempotencyException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A row that a database refuses is an error and not a duplicate; with {@code INSERT IGNORE} it would look like one. */
class ViolationTest {

    /** An offset that no other test stores in the same table. */
    private static final long OFFSET = 7_777_777_777_777L;

    @ParameterizedTest
    @EnumSource
    @Tag("rule-2.3")
    void tellsARefusedRowFromADuplicate(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            String table = Fixture.PREFIX + "message";
            fixture.jdbc.execute(
                    "alter table " + table + " add constraint no_such_offset check (record_offset <> " + OFFSET + ")");
            try {
                assertThatThrownBy(() -> fixture.transactions.inTransaction(
                                () -> fixture.store.claim(List.of(fixture.at("a", 76), fixture.at("b", OFFSET)))))
                        .isInstanceOf(IdempotencyException.class)
                        .matches(failure -> !fixture.transactions.isTransient(failure), "is not transient");
            } finally {
                fixture.jdbc.execute("alter table " + table + " drop constraint no_such_offset");
            }
            assertThat(fixture.claimed("a").status()).isEqualTo(Claim.Status.GRANTED);
            assertThat(fixture.claimed("b").status()).isEqualTo(Claim.Status.GRANTED);
        }
    }
}

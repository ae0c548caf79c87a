package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Claim;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** A message that is processed after a transaction's snapshot was taken is told with its details, or the transaction is transient. */
@Tag("rule-3.4")
@Tag("rule-1.4")
class SnapshotTest {

    private final String id = "m-" + UUID.randomUUID();

    @ParameterizedTest
    @EnumSource
    void neverAnswersWithoutDetails(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            fixture.claimed(id + "-names");
            TransactionTemplate repeatable = new TransactionTemplate(new JdbcTransactionManager(fixture.dataSource));
            repeatable.setIsolationLevel(TransactionDefinition.ISOLATION_REPEATABLE_READ);
            List<Claim> claims = new ArrayList<>();
            try {
                repeatable.executeWithoutResult(status -> {
                    fixture.jdbc.queryForObject("select count(*) from rules_message", Integer.class);
                    CompletableFuture.runAsync(() -> fixture.claimed(id)).join();
                    claims.add(fixture.claim(id));
                });
            } catch (RuntimeException e) {
                assertThat(e).matches(fixture.transactions::isTransient, "is transient");
            }
            assertThat(claims).allSatisfy(claim -> {
                assertThat(claim.status()).isEqualTo(Claim.Status.DUPLICATE);
                assertThat(claim.processed()).isPresent();
            });
        }
    }
}

package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.Explanation;
import io.idempotency.Operations;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The verbs of operators on the tables. */
class OperatorsTest {

    private static QuarantinedMessage kept(Delivery delivery) {
        return new QuarantinedMessage(
                delivery,
                Payload.none(Payload.Origin.SWITCHED_OFF),
                new QuarantineFailure("java.lang.Error", "g", "java.lang.Error"),
                5);
    }

    /** Forgotten, sent again and processed, the message would be forgotten and processed once more by whoever finds its entry later. */
    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.20")
    void aMessageIsNotForgottenWhileItsEntryIsThere(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            JdbcQuarantine quarantine = JdbcQuarantine.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
            JdbcAudit audit = JdbcAudit.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
            Operations operations = Operations.of(fixture.store, quarantine, audit);
            Claim bad = fixture.claimed("bad");
            MessageId id = bad.delivery().id();
            fixture.store.quarantine(bad);
            quarantine.save(kept(bad.delivery()));

            assertThatThrownBy(() -> fixture.store.forget(id)).isInstanceOf(IdempotencyException.class);
            assertThatThrownBy(() -> operations.forget(id, "INC-42")).isInstanceOf(IdempotencyException.class);
            assertThat(fixture.claimed("bad").isGranted()).isFalse();

            assertThat(operations.drop(id, "INC-42")).isTrue();
            assertThat(operations.forget(id, "INC-42").messages()).isEqualTo(1);
            assertThat(fixture.claimed("bad").isGranted()).isTrue();
            assertThatThrownBy(() -> operations.drop(id, "INC-42"))
                    .as("a second operator finds no entry")
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("it is PROCESSED");
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.24")
    void anActAndItsRecordAreRolledBackTogether(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            JdbcQuarantine quarantine = JdbcQuarantine.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
            JdbcAudit audit = JdbcAudit.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
            Operations operations =
                    Operations.of(fixture.store, quarantine, audit).as("Ada", "cli");
            Claim bad = fixture.claimed("bad");
            MessageId id = bad.delivery().id();
            fixture.store.quarantine(bad);
            quarantine.save(kept(bad.delivery()));

            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        operations.drop(id, "INC-42");
                        throw new IllegalStateException("undone");
                    }))
                    .hasMessage("undone");

            assertThat(quarantine.find(id)).isPresent();
            assertThat(status(operations, id)).isEqualTo(MessageStatus.QUARANTINED);
            assertThat(acts(audit, id)).isEmpty();

            operations.drop(id, "INC-42");
            assertThat(status(operations, id)).isEqualTo(MessageStatus.DROPPED);
            assertThat(acts(audit, id)).extracting(AuditRecord::actor).containsExactly("Ada");
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.22")
    void tellsHowLongAMessageIsRememberedAndSinceWhen(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            Operations operations = Operations.of(
                    fixture.store,
                    JdbcQuarantine.on(fixture.dataSource).tablePrefix(Fixture.PREFIX),
                    JdbcAudit.on(fixture.dataSource).tablePrefix(Fixture.PREFIX));
            Claim done = fixture.claimed("done");
            fixture.store.purge(Duration.ofDays(8), 100);

            Explanation known = operations.explain(fixture.consumer, "done").get(0);
            Explanation unknown = operations.explain(fixture.consumer, "never").get(0);

            assertThat(known.id()).isEqualTo(done.delivery().id());
            assertThat(known.rememberedUntil())
                    .contains(known.stored().orElseThrow().at().plus(Duration.ofDays(8)));
            assertThat(unknown.status()).isEqualTo(MessageStatus.UNKNOWN);
            assertThat(unknown.rememberedSince().orElseThrow())
                    .isBefore(known.stored().orElseThrow().at().minus(Duration.ofDays(7)));
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.28")
    void aWrongNameOfAConsumerIsAnError(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            Operations operations = Operations.of(
                    fixture.store,
                    JdbcQuarantine.on(fixture.dataSource).tablePrefix(Fixture.PREFIX),
                    JdbcAudit.on(fixture.dataSource).tablePrefix(Fixture.PREFIX));
            fixture.claimed("done");

            for (String wrong : List.of(fixture.consumer + "s", "orders")) {
                assertThatThrownBy(() -> operations.forget(new MessageId(wrong, "done"), "INC-42"))
                        .isInstanceOf(IdempotencyException.class)
                        .hasMessageStartingWith("Nothing is remembered of a consumer " + wrong + " in the ");
            }
            assertThat(operations
                            .forget(new MessageId(fixture.consumer, "never"), "INC-42")
                            .messages())
                    .isZero();
        }
    }

    private static MessageStatus status(Operations operations, MessageId id) {
        return operations.explain(id.consumer(), id.value()).get(0).status();
    }

    private static List<AuditRecord> acts(JdbcAudit audit, MessageId id) {
        return audit.list(Instant.EPOCH, 1000).stream()
                .filter(act -> act.consumer().equals(id.consumer()))
                .toList();
    }
}

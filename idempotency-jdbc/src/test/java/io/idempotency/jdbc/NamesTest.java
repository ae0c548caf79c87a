package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StoredId;
import io.idempotency.store.TransientStoreException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A name has one number, whoever stores it and when; two names never share one. */
@Tag("rule-2.2")
class NamesTest {

    private static final String LOOK_AT_NUMBER = "select name from " + Fixture.PREFIX + "name where id = ?";

    private final String id = "m-" + UUID.randomUUID();

    @ParameterizedTest
    @EnumSource
    void isStoredBeforeTheFirstClaimBegins(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            fixture.store.prepare(List.of(fixture.at(id, 1)));

            assertThat(numbers(fixture)).containsExactly(proposed(fixture.consumer));
        }
    }

    @ParameterizedTest
    @EnumSource
    void keepsTheNumberOfANameThatIsStoredBetweenItsLookUpAndItsChoice(TestDatabase database) {
        try (Fixture fixture = readCommitted(database)) {
            Meanwhile meanwhile = new Meanwhile(fixture.dataSource);
            TableStore slow = storeOn(meanwhile);
            meanwhile.before(LOOK_AT_NUMBER, () -> fixture.claimed(id));

            slow.transactions()
                    .inTransaction(() -> assertThat(slow.claim(List.of(fixture.at(id, 1))))
                            .extracting(Claim::status)
                            .containsExactly(Claim.Status.DUPLICATE));

            assertThat(meanwhile.isOver()).isTrue();
            assertThat(numbers(fixture)).containsExactly(proposed(fixture.consumer));
        }
    }

    @ParameterizedTest
    @EnumSource
    void keepsTheNumberThatATransactionBeganWithWhenTheNameIsStoredUnderAnother(TestDatabase database) {
        try (Fixture fixture = readCommitted(database)) {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        assertThat(fixture.claim(id).isGranted()).isTrue();
                        elsewhere(() -> {
                            takeNumber(fixture, proposed(fixture.consumer));
                            fixture.claimed(id + "-other");
                            assertThat(fixture.isProcessed(id + "-other")).isTrue();
                        });
                        assertThat(fixture.claim(id).status()).isEqualTo(Claim.Status.DUPLICATE);
                    }))
                    .isInstanceOf(TransientStoreException.class);

            assertThat(fixture.isProcessed(id)).isFalse();
            assertThat(fixture.claimed(id).isGranted()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void letsTwoTransactionsMeetANewNameAtOnceWithoutWaiting(TestDatabase database) {
        try (Fixture fixture = readCommitted(database)) {
            TableStore otherNode = storeOn(new Meanwhile(fixture.dataSource));

            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                elsewhere(() -> otherNode
                        .transactions()
                        .inTransaction(() -> otherNode.claim(List.of(fixture.at(id + "-other", 2)))));
            });

            assertThat(numbers(fixture)).containsExactly(proposed(fixture.consumer));
            TableStore third = storeOn(new Meanwhile(fixture.dataSource));
            assertThat(third.find(fixture.at(id, 1).id())).isPresent();
            assertThat(third.find(fixture.at(id + "-other", 2).id())).isPresent();
        }
    }

    @ParameterizedTest
    @EnumSource
    void takesTheNextNumberWhenItsOwnIsAnotherNames(TestDatabase database) {
        try (Fixture fixture = readCommitted(database)) {
            int number = proposed(fixture.consumer);
            String other = takeNumber(fixture, number);
            Delivery others = new Delivery(new MessageId(other, id), Position.UNKNOWN);
            fixture.transactions.inTransaction(() -> fixture.store.claim(List.of(others)));

            assertThat(fixture.claimed(id).isGranted()).isTrue();

            assertThat(numbers(fixture)).containsExactly(number + 1);
            assertThat(fixture.isProcessed(id)).isTrue();
            assertThat(fixture.store.find(others.id()).orElseThrow().position()).isEqualTo(Position.UNKNOWN);
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTransientWhenAnotherNameTakesItsNumberBeforeTheCommit(TestDatabase database) {
        try (Fixture fixture = readCommitted(database)) {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        elsewhere(() -> takeNumber(fixture, proposed(fixture.consumer)));
                    }))
                    .isInstanceOf(TransientStoreException.class);

            assertThat(fixture.claimed(id).isGranted()).isTrue();
            assertThat(numbers(fixture)).containsExactly(proposed(fixture.consumer) + 1);
        }
    }

    /** Elsewhere names that were stored meanwhile are not seen, and the transaction is transient. */
    private static Fixture readCommitted(TestDatabase database) {
        return Fixture.on(database.pool(6, config -> config.setTransactionIsolation("TRANSACTION_READ_COMMITTED")));
    }

    /** Returns the number that a name proposes for itself. */
    private static int proposed(String name) {
        return (int) (StoredId.hash(name).getMostSignificantBits() >>> 33);
    }

    /** Gives the number to a name that nobody has heard of, and returns that. */
    private static String takeNumber(Fixture fixture, int number) {
        String other = "other-" + UUID.randomUUID();
        fixture.jdbc.update("insert into " + Fixture.PREFIX + "name (id, name) values (?, ?)", number, other);
        return other;
    }

    private static List<Integer> numbers(Fixture fixture) {
        return fixture.jdbc.queryForList(
                "select id from " + Fixture.PREFIX + "name where name = ?", Integer.class, fixture.consumer);
    }

    private static TableStore storeOn(Meanwhile meanwhile) {
        return TableStore.builder(meanwhile).tablePrefix(Fixture.PREFIX).build();
    }

    private static void elsewhere(Runnable work) {
        CompletableFuture.runAsync(work).join();
    }
}

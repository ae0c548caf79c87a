package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.purgedAll;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.Payload;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores and quarantines about the memory of quarantined messages: it lasts as long as their entries. */
public interface QuarantineMemoryContract extends QuarantineSelectionContract {

    @Test
    @Tag("rule-9.9")
    @Tag("rule-4.14")
    default void remembersAQuarantinedMessageAsLongAsItsEntry() {
        Messages messages = Messages.ofNewConsumer();
        quarantine(messages.at("bad", 17));
        claimed(store(), messages.at("done", 18));

        for (int round = 0; round < 3; round++) {
            passTime(Duration.ofDays(9));
            claimed(store(), messages.at("new-" + round, 100 + round));
            purgedAll(store(), Duration.ofDays(8));

            assertThat(asked(store(), messages.at("bad", 17)).status()).isEqualTo(Status.QUARANTINED);
            assertThat(asked(store(), messages.at("bad", 1000)).status()).isEqualTo(Status.QUARANTINED);
            assertThat(asked(store(), messages.at("done", 1000)).isGranted()).isTrue();
        }
        quarantine().delete(messages.id("bad"));
        passTime(Duration.ofDays(9));
        claimed(store(), messages.at("newest", 200));
        purgedAll(store(), Duration.ofDays(8));

        assertThat(asked(store(), messages.at("bad", 1000)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-9.9")
    @Tag("rule-4.14")
    default void purgesTheOthersHoweverManyAreInQuarantine() {
        Messages messages = Messages.ofNewConsumer();
        messages.inARow(5).forEach(this::quarantine);
        claimed(store(), messages.at("done", 18));
        passTime(Duration.ofDays(9));
        claimed(store(), messages.at("new", 19));

        while (store().purge(Duration.ofDays(8), 2) > 0) {
            // Until nothing is old.
        }

        assertThat(store().find(messages.id("done"))).isEmpty();
        assertThat(committed(store(), () -> store().claim(messages.inARow(5))))
                .allMatch(claim -> claim.status() == Status.QUARANTINED);
    }

    @Test
    @Tag("rule-9.9")
    @Tag("rule-4.14")
    default void doesNotQuarantineAMessageAgainBecauseItsEntryIsThere() {
        Messages messages = Messages.ofNewConsumer();
        quarantine(messages.at("bad", 17));
        store().unquarantine(messages.at("bad", 17));
        passTime(Duration.ofDays(5));
        claimed(store(), messages.at("bad", 18));
        passTime(Duration.ofDays(5));
        claimed(store(), messages.at("new", 19));

        purgedAll(store(), Duration.ofDays(8));

        assertThat(asked(store(), messages.at("bad", 20)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-9.2")
    default void grantsAMessageOutOfQuarantineAfterAnyTime() {
        Messages messages = Messages.ofNewConsumer();
        quarantine(messages.at("bad", 17));
        passTime(Duration.ofDays(9));
        claimed(store(), messages.at("new", 19));
        purgedAll(store(), Duration.ofDays(8));

        assertThat(committed(store(), () -> {
                            store().unquarantine(messages.at("bad", 17));
                            return store().claim(List.of(messages.at("bad", 17)))
                                    .get(0);
                        })
                        .isGranted())
                .isTrue();
        assertThat(asked(store(), messages.at("bad", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    private void quarantine(Delivery delivery) {
        committed(store(), () -> {
            store().quarantine(store().claim(List.of(delivery)).get(0));
            quarantine()
                    .save(new QuarantinedMessage(
                            delivery,
                            Payload.none(Origin.POSITION_ONLY),
                            new QuarantineFailure("some.Failure", "A", "text"),
                            1));
            return true;
        });
    }
}

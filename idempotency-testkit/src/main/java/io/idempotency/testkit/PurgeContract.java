package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.purgedAll;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores about purging: a purge forgets messages older than the retention, a bounded number at a time. */
public interface PurgeContract extends StoreContract {

    @Test
    @Tag("rule-3.9")
    default void purgesWhatIsOlderThanTheRetentionAndSparesTheRest() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("old", 1));
        passTime(Duration.ofDays(7));
        claimed(store(), messages.at("young", 2));
        passTime(Duration.ofDays(2));
        claimed(store(), messages.at("new", 3));

        purgedAll(store(), Duration.ofDays(8));

        assertThat(store().find(messages.id("old"))).isEmpty();
        assertThat(asked(store(), messages.at("old", 4)).isGranted()).isTrue();
        assertThat(asked(store(), messages.at("young", 2)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-3.9")
    default void purgesQuarantinedMessagesAsWell() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 1)));
        passTime(Duration.ofDays(9));
        claimed(store(), messages.at("new", 2));

        purgedAll(store(), Duration.ofDays(8));

        assertThat(asked(store(), messages.at("bad", 3)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-3.9")
    default void purgesNoMoreThanTheLimitAtATime() {
        Messages messages = Messages.ofNewConsumer();
        List<Delivery> old = messages.inARow(5);
        old.forEach(delivery -> claimed(store(), delivery));
        passTime(Duration.ofDays(9));
        claimed(store(), messages.at("new", 9));

        // Others of these tables may be old, too.
        for (long left = old.size(), after; left > 0; left = after) {
            assertThat(store().purge(Duration.ofDays(8), 2)).isBetween(1, 2);
            after = old.stream()
                    .filter(each -> store().find(each.id()).isPresent())
                    .count();
            assertThat(left - after).isBetween(0L, 2L);
        }
        assertThat(store().find(messages.id("new"))).isPresent();
    }

    @Test
    @Tag("rule-1.5")
    default void refusesToPurgeInsideATransaction() {
        assertThatThrownBy(() -> committed(store(), () -> store().purge(Duration.ofDays(8), 100)))
                .isInstanceOf(IdempotencyException.class);
    }

    @Test
    @Tag("rule-3.9")
    default void isNotHeldUpByARunningTransaction() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("old", 1));
        passTime(Duration.ofDays(9));
        claimed(store(), messages.at("newer", 2));
        try (OtherThread other = OtherThread.inTransaction(store())) {
            other.run(() -> store().claim(List.of(messages.at("new", 1, 2))));

            purgedAll(store(), Duration.ofDays(8));

            assertThat(store().find(messages.id("old"))).isEmpty();
            other.commit();
        }
        assertThat(store().find(messages.id("new"))).isPresent();
    }
}

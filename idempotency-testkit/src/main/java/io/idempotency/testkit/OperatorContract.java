package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.rolledBack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.ConflictException;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageRange;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.StoredMessage;
import io.idempotency.store.StoredMessages.Batch;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores about the verbs of operators: looking, dropping and forgetting. */
public interface OperatorContract extends StoreContract {

    @Test
    @Tag("rule-8.20")
    default void forgetsNoMessageThatIsInQuarantine() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 1)));

        assertThatThrownBy(() -> store().forget(messages.id("bad")))
                .isInstanceOf(ConflictException.class)
                .hasMessageContaining("replay it, or drop it");

        assertThat(asked(store(), messages.at("bad", 2)).status()).isEqualTo(Status.QUARANTINED);
    }

    @Test
    @Tag("rule-8.21")
    default void answersACopyOfADroppedMessageAsADuplicate() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 1)));

        assertThat(store().messages().drop(messages.at("bad", 1))).isTrue();

        assertThat(asked(store(), messages.at("bad", 1)).status()).isEqualTo(Status.DUPLICATE);
        assertThat(asked(store(), messages.at("bad", 2)).status()).isEqualTo(Status.DUPLICATE);
        assertThat(look(messages, "bad").status()).isEqualTo(MessageStatus.DROPPED);
    }

    @Test
    @Tag("rule-8.15")
    default void tellsExpiredMessagesFromProcessedOnes() {
        Messages messages = Messages.ofNewConsumer();
        committed(store(), () -> {
            List<Claim> claims = store().claim(messages.inARow(4));
            store().expire(List.of(claims.get(2), claims.get(0)));
            return true;
        });

        assertThat(look(messages, "m-0").status()).isEqualTo(MessageStatus.EXPIRED);
        assertThat(look(messages, "m-1").status()).isEqualTo(MessageStatus.PROCESSED);
        assertThat(look(messages, "m-2").status()).isEqualTo(MessageStatus.EXPIRED);
        assertThat(look(messages, "m-2").position())
                .isEqualTo(messages.at("m-2", 2).position());
        assertThat(asked(store(), messages.at("m-0", 9)).status()).isEqualTo(Status.DUPLICATE);
        assertThat(store().messages().drop(messages.at("m-0", 0))).isFalse();
        assertThat(store().forget(messages.id("m-0"))).isTrue();
        assertThat(asked(store(), messages.at("m-0", 9)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-8.15")
    default void anExpiryIsRolledBackWithItsClaim() {
        Messages messages = Messages.ofNewConsumer();
        rolledBack(store(), () -> {
            store().expire(store().claim(messages.inARow(2)));
            return true;
        });

        assertThat(store().messages().look(messages.id("m-0"))).isEmpty();
        assertThat(asked(store(), messages.at("m-0", 0)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-8.21")
    default void dropsAMessageThatItDoesNotRemember() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("another", 0));

        assertThat(store().messages().drop(messages.at("bad", 1))).isTrue();

        assertThat(asked(store(), messages.at("bad", 2)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-8.21")
    default void leavesAProcessedMessageProcessed() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("done", 1));

        assertThat(store().messages().drop(messages.at("done", 1))).isFalse();

        assertThat(look(messages, "done").status()).isEqualTo(MessageStatus.PROCESSED);
    }

    @Test
    @Tag("rule-8.21")
    default void dropsWithinTheActiveTransaction() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 1)));

        rolledBack(store(), () -> store().messages().drop(messages.at("bad", 1)));

        assertThat(look(messages, "bad").status()).isEqualTo(MessageStatus.QUARANTINED);
    }

    @Test
    @Tag("rule-8.21")
    default void remembersADroppedMessageFromItsDeletionOn() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 1)));
        passTime(Duration.ofDays(7));
        store().messages().drop(messages.at("bad", 1));
        passTime(Duration.ofDays(7));
        claimed(store(), messages.at("new", 2));

        Transacted.purgedAll(store(), Duration.ofDays(8));

        assertThat(asked(store(), messages.at("bad", 1)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-8.21")
    default void forgetsADroppedMessage() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 1)));
        store().messages().drop(messages.at("bad", 1));

        assertThat(store().forget(messages.id("bad"))).isTrue();

        assertThat(asked(store(), messages.at("bad", 2)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-8.22")
    default void tellsWhatBecameOfAMessage() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("done", 1));
        store().quarantine(claimed(store(), messages.at("bad", 2)));

        assertThat(look(messages, "done").status()).isEqualTo(MessageStatus.PROCESSED);
        assertThat(look(messages, "done").position())
                .isEqualTo(messages.at("done", 1).position());
        assertThat(look(messages, "done").attempt()).isEqualTo(1);
        assertThat(look(messages, "bad").status()).isEqualTo(MessageStatus.QUARANTINED);
        assertThat(store().messages().look(messages.id("never"))).isEmpty();
        assertThat(store().messages().look(Messages.ofNewConsumer().id("never")))
                .isEmpty();
    }

    @Test
    @Tag("rule-8.23")
    default void forgetsARangeOfOffsetsInBatches() {
        Messages messages = Messages.ofNewConsumer();
        for (Delivery delivery : messages.inARow(10)) {
            claimed(store(), delivery);
        }
        store().quarantine(claimed(store(), messages.at("bad", 10)));
        claimed(store(), messages.at("elsewhere", 1, 5));
        MessageRange range = MessageRange.ofOffsets(messages.consumer(), "orders", 0, 3, 10);

        assertThat(counted(range)).isEqualTo(new Batch(7, 1, Optional.empty()));
        assertThat(forgotten(range)).isEqualTo(new Batch(7, 1, Optional.empty()));
        assertThat(forgotten(range)).isEqualTo(new Batch(0, 1, Optional.empty()));

        assertThat(asked(store(), messages.at("m-2", 2)).isGranted()).isFalse();
        assertThat(asked(store(), messages.at("m-3", 3)).isGranted()).isTrue();
        assertThat(asked(store(), messages.at("m-9", 9)).isGranted()).isTrue();
        assertThat(asked(store(), messages.at("bad", 10)).status()).isEqualTo(Status.QUARANTINED);
        assertThat(asked(store(), messages.at("elsewhere", 1, 5)).isGranted()).isFalse();
    }

    @Test
    @Tag("rule-8.23")
    default void forgetsARangeOfTime() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("before", 1));
        passTime(Duration.ofMinutes(1));
        claimed(store(), messages.at("within", 2));
        claimed(store(), messages.at("other", 1, 1));
        Instant first = look(messages, "within").at();
        Instant last = look(messages, "other").at();

        assertThat(forgotten(MessageRange.ofTime(messages.consumer(), first, last.plusNanos(1000)))
                        .messages())
                .isEqualTo(2);

        assertThat(asked(store(), messages.at("before", 1)).isGranted()).isFalse();
        assertThat(asked(store(), messages.at("within", 2)).isGranted()).isTrue();
        assertThat(asked(store(), messages.at("other", 1, 1)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-8.23")
    default void forgetsABatchWithinTheActiveTransaction() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("m", 1));
        MessageRange range = MessageRange.ofOffsets(messages.consumer(), "orders", 0, 0, 9);

        Batch undone = rolledBack(store(), () -> store().messages().forget(range, "", 100));

        assertThat(undone.messages()).isEqualTo(1);
        assertThat(asked(store(), messages.at("m", 2)).isGranted()).isFalse();
        Batch done = committed(store(), () -> store().messages().forget(range, "", 100));
        assertThat(done.messages()).isEqualTo(1);
        assertThat(asked(store(), messages.at("m", 2)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-8.23")
    default void findsNothingToForgetOfAnUnknownConsumerOrTopic() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("m", 1));

        assertThat(forgotten(MessageRange.ofOffsets("consumer-unknown", "orders", 0, 0, 9)))
                .isEqualTo(new Batch(0, 0, Optional.empty()));
        assertThat(forgotten(MessageRange.ofOffsets(messages.consumer(), "elsewhere", 0, 0, 9)))
                .isEqualTo(new Batch(0, 0, Optional.empty()));
    }

    @Test
    @Tag("rule-8.28")
    default void namesTheConsumersOfWhichItRemembersMessages() {
        Messages messages = Messages.ofNewConsumer();
        assertThat(store().messages().consumers()).doesNotContain(messages.consumer());

        claimed(store(), messages.at("m", 1));

        assertThat(store().messages().consumers()).contains(messages.consumer()).doesNotContain("orders");
    }

    private StoredMessage look(Messages messages, String id) {
        return store().messages().look(messages.id(id)).orElseThrow();
    }

    private Batch forgotten(MessageRange range) {
        return all(range, true);
    }

    private Batch counted(MessageRange range) {
        return all(range, false);
    }

    /** Runs small batches until there are no more. */
    private Batch all(MessageRange range, boolean isForgetting) {
        long messages = 0;
        long quarantined = 0;
        Optional<String> next = Optional.of("");
        while (next.isPresent()) {
            Batch batch = isForgetting
                    ? store().messages().forget(range, next.get(), 3)
                    : store().messages().count(range, next.get(), 3);
            messages += batch.messages();
            quarantined += batch.quarantined();
            next = batch.next();
        }
        return new Batch(messages, quarantined, Optional.empty());
    }
}

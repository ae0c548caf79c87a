package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.claimed;
import static io.idempotency.testkit.Transacted.committed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of stores about claims: which claim is granted, how the others are answered, and what is remembered.
 * Includes {@link TransactionContract}, {@link WaitingContract}, {@link MessageIdContract}, {@link PurgeContract} and {@link UnquarantineContract}.
 *
 * @see StoreContract the questions that a store's test answers
 */
public interface ClaimContract
        extends TransactionContract, WaitingContract, MessageIdContract, PurgeContract, UnquarantineContract {

    @Test
    default void grantsAMessageOnlyOnce() {
        Messages messages = Messages.ofNewConsumer();

        Claim first = claimed(store(), messages.at("order-1", 17));
        Claim second = claimed(store(), messages.at("order-1", 17));

        assertThat(first).isEqualTo(Claim.granted(messages.at("order-1", 17)));
        assertThat(second.status()).isEqualTo(Status.DUPLICATE);
        assertThat(second.delivery()).isEqualTo(messages.at("order-1", 17));
        assertThat(second.isGranted()).isFalse();
    }

    @Test
    default void tellsWhereARedeliveredMessageWasProcessed() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 17));

        Claim redelivered = claimed(store(), messages.at("order-1", 17));

        assertThat(redelivered.processed())
                .map(Processed::position)
                .contains(messages.at("order-1", 17).position());
    }

    @Test
    default void tellsWhereTheFirstCopyOfAMessageSentTwiceWasProcessed() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 17));

        Claim sentAgain = claimed(store(), messages.at("order-1", 18272));

        assertThat(sentAgain.status()).isEqualTo(Status.DUPLICATE);
        assertThat(sentAgain.delivery().position().offset()).isEqualTo(18272);
        assertThat(sentAgain.processed())
                .map(Processed::position)
                .contains(messages.at("order-1", 17).position());
    }

    @Test
    default void recognisesACopyInAnotherPartition() {
        assumeTrue(seesAllPartitions(), "this store remembers per partition");
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 0, 17));

        Claim elsewhere = claimed(store(), messages.at("order-1", 5, 3));

        assertThat(elsewhere.status()).isEqualTo(Status.DUPLICATE);
        assertThat(elsewhere.processed())
                .map(Processed::position)
                .contains(messages.at("order-1", 0, 17).position());
    }

    @Test
    default void tellsHowLongAgoAMessageWasProcessed() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 17));

        passTime(Duration.ofHours(3));

        Duration age = claimed(store(), messages.at("order-1", 17))
                .processed()
                .orElseThrow()
                .age();
        assertThat(age).isBetween(Duration.ofHours(3), Duration.ofHours(4));
    }

    @Test
    default void keepsTheFirstTimeAndPositionHoweverOftenAMessageComesAgain() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 17));
        passTime(Duration.ofHours(3));
        claimed(store(), messages.at("order-1", 18));
        passTime(Duration.ofHours(3));

        Processed processed =
                claimed(store(), messages.at("order-1", 19)).processed().orElseThrow();

        assertThat(processed.position()).isEqualTo(messages.at("order-1", 17).position());
        assertThat(processed.age()).isGreaterThanOrEqualTo(Duration.ofHours(6));
    }

    @Test
    default void answersNothingToAnEmptyList() {
        assertThat(claimed(store(), List.of())).isEmpty();
    }

    @Test
    default void answersInTheOrderAsked() {
        Messages messages = Messages.ofNewConsumer();
        List<Delivery> deliveries = new ArrayList<>(messages.inARow(50));
        Collections.shuffle(deliveries, new Random(7));
        claimed(store(), deliveries.subList(10, 20));

        List<Claim> claims = claimed(store(), deliveries);

        assertThat(claims).extracting(Claim::delivery).containsExactlyElementsOf(deliveries);
        assertThat(claims.subList(10, 20)).extracting(Claim::status).containsOnly(Status.DUPLICATE);
        assertThat(claims.subList(0, 10)).allMatch(Claim::isGranted);
        assertThat(claims.subList(20, 50)).allMatch(Claim::isGranted);
    }

    @Test
    default void grantsTheFirstOfSeveralCopiesInOneList() {
        Messages messages = Messages.ofNewConsumer();

        List<Claim> claims = claimed(
                store(),
                List.of(
                        messages.at("order-2", 1),
                        messages.at("order-1", 2),
                        messages.at("order-2", 3),
                        messages.at("order-2", 4)));

        assertThat(claims)
                .extracting(Claim::status)
                .containsExactly(Status.GRANTED, Status.GRANTED, Status.DUPLICATE, Status.DUPLICATE);
        assertThat(claims)
                .extracting(claim -> claim.delivery().position().offset())
                .containsExactly(1L, 2L, 3L, 4L);
    }

    @Test
    default void grantsOneDeliveryThatStandsTwiceInAListOnlyOnce() {
        Delivery delivery = Messages.ofNewConsumer().at("order-1", 1);

        List<Claim> claims = claimed(store(), List.of(delivery, delivery));

        assertThat(claims).extracting(Claim::status).containsExactly(Status.GRANTED, Status.DUPLICATE);
    }

    @Test
    default void tellsTheCopiesInOneListThatTheFirstIsTheOneProcessed() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), List.of(messages.at("order-1", 1), messages.at("order-1", 2)));

        Claim later = claimed(store(), messages.at("order-1", 3));

        assertThat(later.processed())
                .map(Processed::position)
                .contains(messages.at("order-1", 1).position());
    }

    @Test
    default void claimsFiveHundredMessagesAtOnce() {
        Messages messages = Messages.ofNewConsumer();
        List<Delivery> deliveries = messages.inARow(500);

        assertThat(claimed(store(), deliveries)).hasSize(500).allMatch(Claim::isGranted);
        assertThat(claimed(store(), deliveries)).extracting(Claim::status).containsOnly(Status.DUPLICATE);
    }

    @Test
    default void keepsTheMessagesOfSeveralConsumersApart() {
        Delivery billing = Messages.ofNewConsumer().at("order-1", 17);
        Delivery shipping = Messages.ofNewConsumer().at("order-1", 17);

        assertThat(claimed(store(), List.of(billing, shipping))).allMatch(Claim::isGranted);
        committed(store(), () -> store().forget(billing.id()));

        assertThat(store().find(billing.id())).isEmpty();
        assertThat(store().find(shipping.id())).isPresent();
    }

    @Test
    default void recognisesMessagesWithoutAPosition() {
        assumeTrue(seesAllPartitions(), "this store needs a position");
        Messages messages = Messages.ofNewConsumer();
        Delivery somewhere = new Delivery(messages.id("order-1"), Position.UNKNOWN);

        assertThat(claimed(store(), somewhere).isGranted()).isTrue();
        Claim again = claimed(store(), somewhere);

        assertThat(again.status()).isEqualTo(Status.DUPLICATE);
        assertThat(again.processed()).map(Processed::position).contains(Position.UNKNOWN);
    }

    @Test
    @Tag("rule-8.15")
    default void tellsTheTimeByWhichItStampsMessages() {
        Delivery delivery = Messages.ofNewConsumer().at("order-1", 17);
        Instant before = store().now();
        claimed(store(), delivery);

        assertThat(store().find(delivery.id()).orElseThrow().at()).isBetween(before, store().now());
        store().transactions().inTransaction(() -> assertThat(store().now()).isAfterOrEqualTo(before));
    }

    @Test
    default void findsAProcessedMessage() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 17));
        passTime(Duration.ofHours(3));

        Processed processed = store().find(messages.id("order-1")).orElseThrow();

        assertThat(processed.position()).isEqualTo(messages.at("order-1", 17).position());
        assertThat(processed.age()).isBetween(Duration.ofHours(3), Duration.ofHours(4));
        assertThat(store().find(messages.id("order-2"))).isEmpty();
    }

    @Test
    default void forgetsAMessageSoThatItsNextDeliveryIsNew() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), List.of(messages.at("order-1", 17), messages.at("order-2", 18)));

        assertThat(store().forget(messages.id("order-1"))).isTrue();

        assertThat(store().forget(messages.id("order-1"))).isFalse();
        assertThat(store().find(messages.id("order-1"))).isEmpty();
        assertThat(claimed(store(), messages.at("order-1", 17)).isGranted()).isTrue();
        assertThat(claimed(store(), messages.at("order-2", 18)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-3.1")
    default void settlesAQuarantinedMessageWithoutCallingItADuplicate() {
        Messages messages = Messages.ofNewConsumer();
        committed(store(), () -> {
            store().quarantine(
                            store().claim(List.of(messages.at("order-1", 17))).get(0));
            return true;
        });

        Claim again = claimed(store(), messages.at("order-1", 18));

        assertThat(again.status()).isEqualTo(Status.QUARANTINED);
        assertThat(again.processed())
                .map(Processed::position)
                .contains(messages.at("order-1", 17).position());
        assertThat(store().find(messages.id("order-1"))).isPresent();
    }

    @Test
    default void quarantinesAMessageWhoseClaimIsCommitted() {
        Messages messages = Messages.ofNewConsumer();
        Claim committed = claimed(store(), messages.at("order-1", 17));

        store().quarantine(committed);

        assertThat(claimed(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.QUARANTINED);
    }

    @Test
    default void answersForSettledAndNewMessagesOfOneList() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 1)));
        claimed(store(), messages.at("done", 2));

        List<Claim> claims = claimed(
                store(),
                List.of(messages.at("new", 3), messages.at("bad", 4), messages.at("done", 5), messages.at("bad", 6)));

        assertThat(claims)
                .extracting(Claim::status)
                .containsExactly(Status.GRANTED, Status.QUARANTINED, Status.DUPLICATE, Status.QUARANTINED);
    }
}

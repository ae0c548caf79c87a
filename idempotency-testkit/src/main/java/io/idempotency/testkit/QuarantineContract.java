package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.rolledBack;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineTotal;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of quarantines: they keep messages byte by byte, within the transactions of the claim store beside them.
 * Includes {@link QuarantineSelectionContract} and {@link QuarantineMemoryContract}.
 *
 * @see StoreContract the questions that a store's test answers
 */
public interface QuarantineContract extends QuarantineMemoryContract {

    @Test
    @Tag("rule-4.6")
    default void keepsAMessageWithItsBytes() {
        Messages messages = Messages.ofNewConsumer();
        byte[] binary = {0, -1, 127, -128, 10};
        Payload payload = new Payload(
                "key-ä".getBytes(UTF_8),
                binary,
                List.of(
                        new Payload.Header("trace", "1".getBytes(UTF_8)),
                        new Payload.Header("trace", binary),
                        new Payload.Header("empty", new byte[0]),
                        new Payload.Header("none", null)),
                Origin.RAW);
        quarantine()
                .save(new QuarantinedMessage(
                        messages.at("order-1", 17), payload, failure("java.lang.Poison: ☠\n\tat …"), 5));

        QuarantinedMessage kept =
                quarantine().find(messages.id("order-1")).orElseThrow().message();

        assertThat(kept)
                .usingRecursiveComparison()
                .isEqualTo(new QuarantinedMessage(
                        messages.at("order-1", 17), payload, failure("java.lang.Poison: ☠\n\tat …"), 5));
    }

    @Test
    @Tag("rule-4.6")
    default void tellsAbsentBytesFromEmptyOnes() {
        Messages messages = Messages.ofNewConsumer();
        quarantine().save(message(messages.at("absent", 1), Payload.none(Origin.POSITION_ONLY)));
        quarantine()
                .save(message(
                        messages.at("empty", 2), new Payload(new byte[0], new byte[0], List.of(), Origin.REREAD)));

        Payload absent =
                quarantine().find(messages.id("absent")).orElseThrow().message().payload();
        Payload empty =
                quarantine().find(messages.id("empty")).orElseThrow().message().payload();

        assertThat(absent.key()).isNull();
        assertThat(absent.value()).isNull();
        assertThat(absent.origin()).isEqualTo(Origin.POSITION_ONLY);
        assertThat(empty.key()).isEmpty();
        assertThat(empty.value()).isEmpty();
        assertThat(empty.origin()).isEqualTo(Origin.REREAD);
    }

    @Test
    @Tag("rule-4.6")
    default void keepsALargeMessageWithALongId() {
        Messages messages = Messages.ofNewConsumer();
        byte[] large = new byte[1_000_000];
        large[large.length - 1] = 1;
        Delivery delivery = messages.at("x".repeat(MessageId.MAX_BYTES), 1);
        String failure = "at io.idempotency.Deep.down(Deep.java:1)\n".repeat(5_000);

        quarantine()
                .save(new QuarantinedMessage(
                        delivery, new Payload(null, large, List.of(), Origin.SWITCHED_OFF), failure(failure), 1));

        QuarantinedMessage kept = quarantine().find(delivery.id()).orElseThrow().message();
        assertThat(kept.payload().value()).isEqualTo(large);
        assertThat(kept.failure().text()).isEqualTo(failure);
        assertThat(kept.delivery()).isEqualTo(delivery);
    }

    @Test
    @Tag("rule-4.6")
    default void keepsAMessageWithoutAPosition() {
        Messages messages = Messages.ofNewConsumer();
        quarantine()
                .save(message(
                        new Delivery(messages.id("order-1"), Position.UNKNOWN), Payload.none(Origin.POSITION_ONLY)));

        assertThat(quarantine().find(messages.id("order-1")))
                .map(kept -> kept.message().delivery().position())
                .contains(Position.UNKNOWN);
    }

    @Test
    @Tag("rule-4.6")
    default void replacesAMessageThatIsKeptAlready() {
        Messages messages = Messages.ofNewConsumer();
        quarantine()
                .save(new QuarantinedMessage(
                        messages.at("order-1", 17), Payload.none(Origin.RAW), failure("first"), 1));

        quarantine()
                .save(new QuarantinedMessage(
                        messages.at("order-1", 18), Payload.none(Origin.REREAD), failure("second"), 2));

        assertThat(quarantine().find(messages.id("order-1")).map(QuarantineEntry::message))
                .contains(new QuarantinedMessage(
                        messages.at("order-1", 18), Payload.none(Origin.REREAD), failure("second"), 2));
        assertThat(quarantine().list(messages.consumer(), 10)).containsExactly(messages.id("order-1"));
    }

    @Test
    @Tag("rule-4.6")
    default void keepsTheTimeOfTheFirstFailureAndRaisesTheGeneration() {
        Messages messages = Messages.ofNewConsumer();
        QuarantineFailure failure = failure("no");
        Delivery sent = new Delivery(messages.id("order-1"), new Position("orders", 3, 17), 1_700_000_000_000L);
        quarantine().save(new QuarantinedMessage(sent, Payload.none(Origin.RAW), failure, 3, -7, true, true));
        QuarantineEntry first = quarantine().find(messages.id("order-1")).orElseThrow();
        passTime(Duration.ofMinutes(1));

        quarantine().save(new QuarantinedMessage(sent, Payload.none(Origin.RAW), failure, 4, -7, false));

        QuarantineEntry second = quarantine().find(messages.id("order-1")).orElseThrow();
        assertThat(first.message().keyHash()).isEqualTo(-7);
        assertThat(first.message().isBehind()).isTrue();
        assertThat(first.message().isDoubtful()).isTrue();
        assertThat(second.message().isBehind()).isFalse();
        assertThat(second.message().isDoubtful()).isFalse();
        assertThat(second.message().delivery()).isEqualTo(sent);
        assertThat(second.message().failure()).isEqualTo(failure);
        assertThat(second.generation()).isGreaterThan(first.generation());
        assertThat(second.firstAt())
                .isEqualTo(movesStoredTimes() ? first.firstAt().minus(Duration.ofMinutes(1)) : first.firstAt());
        assertThat(second.at()).isAfter(first.at());
        assertThat(second.replay()).isEmpty();
    }

    @Test
    @Tag("rule-4.6")
    default void findsNothingThatWasNotSaved() {
        Messages messages = Messages.ofNewConsumer();

        assertThat(quarantine().find(messages.id("order-1"))).isEmpty();
        assertThat(quarantine().list(messages.consumer(), 10)).isEmpty();
        assertThat(quarantine().delete(messages.id("order-1"))).isFalse();
    }

    @Test
    @Tag("rule-4.6")
    default void listsTheOldestMessagesOfOneConsumerFirst() {
        Messages messages = Messages.ofNewConsumer();
        Messages others = Messages.ofNewConsumer();
        for (String id : List.of("c", "a", "b")) {
            save(messages.at(id, 1));
            save(others.at(id, 1));
            passTime(Duration.ofMinutes(1));
        }

        assertThat(quarantine().list(messages.consumer(), 10))
                .containsExactly(messages.id("c"), messages.id("a"), messages.id("b"));
        assertThat(quarantine().list(messages.consumer(), 2)).containsExactly(messages.id("c"), messages.id("a"));
    }

    @Test
    @Tag("rule-4.6")
    default void deletesAMessageOnce() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("order-1", 17));
        save(messages.at("order-2", 18));

        assertThat(quarantine().delete(messages.id("order-1"))).isTrue();

        assertThat(quarantine().delete(messages.id("order-1"))).isFalse();
        assertThat(quarantine().find(messages.id("order-1"))).isEmpty();
        assertThat(quarantine().list(messages.consumer(), 10)).containsExactly(messages.id("order-2"));
    }

    @Test
    @Tag("rule-4.6")
    default void takesASavedMessageBackWithItsTransaction() {
        Messages messages = Messages.ofNewConsumer();

        rolledBack(store(), () -> {
            store().quarantine(
                            store().claim(List.of(messages.at("order-1", 17))).get(0));
            save(messages.at("order-1", 17));
            return true;
        });

        assertThat(quarantine().find(messages.id("order-1"))).isEmpty();
        assertThat(asked(store(), messages.at("order-1", 17)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-4.6")
    default void settlesAndKeepsAMessageInOneTransaction() {
        Messages messages = Messages.ofNewConsumer();

        Optional<QuarantineEntry> seenInside = committed(store(), () -> {
            store().quarantine(
                            store().claim(List.of(messages.at("order-1", 17))).get(0));
            save(messages.at("order-1", 17));
            return quarantine().find(messages.id("order-1"));
        });

        assertThat(seenInside).isPresent();
        assertThat(quarantine().find(messages.id("order-1"))).isPresent();
        assertThat(asked(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.QUARANTINED);
    }

    @Test
    @Tag("rule-4.6")
    default void keepsAMessageWhoseDeletionIsRolledBack() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("order-1", 17));

        assertThat(rolledBack(store(), () -> quarantine().delete(messages.id("order-1"))))
                .isTrue();

        assertThat(quarantine().find(messages.id("order-1"))).isPresent();
        assertThat(quarantine().list(messages.consumer(), 10)).containsExactly(messages.id("order-1"));
    }

    @Test
    @Tag("rule-4.6")
    default void letsOnlyOneOfTwoTransactionsDeleteAMessage() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("order-1", 17));
        try (OtherThread first = OtherThread.inTransaction(store());
                OtherThread second = OtherThread.inTransaction(store())) {
            assertThat(first.run(() -> quarantine().delete(messages.id("order-1"))))
                    .isTrue();
            OtherThread.Step<Boolean> waiting = second.begin(() -> quarantine().delete(messages.id("order-1")));
            second.awaitWaiting(waiting);

            first.commit();

            assertThat(waiting.answerOrAgain(store())).isFalse();
        }
    }

    @Test
    @Tag("rule-8.26")
    default void countsTheMessagesOfEachConsumer() {
        Messages one = Messages.ofNewConsumer();
        Messages other = Messages.ofNewConsumer();
        save(one.at("order-1", 17));
        save(one.at("order-2", 18));
        save(other.at("order-1", 17));
        Instant first = quarantine().find(one.id("order-1")).orElseThrow().firstAt();

        SortedMap<String, QuarantineTotal> totals = quarantine().totals();

        assertThat(totals).doesNotContainKey(Messages.ofNewConsumer().consumer());
        assertThat(totals).hasEntrySatisfying(one.consumer(), total -> {
            assertThat(total.messages()).isEqualTo(2);
            assertThat(total.oldest()).isEqualTo(first);
            assertThat(total.age()).isBetween(Duration.ZERO, Duration.ofHours(1));
        });
        assertThat(totals)
                .hasEntrySatisfying(
                        other.consumer(), total -> assertThat(total.messages()).isEqualTo(1));
    }

    private void save(Delivery delivery) {
        quarantine().save(message(delivery, Payload.none(Origin.POSITION_ONLY)));
    }

    private static QuarantinedMessage message(Delivery delivery, Payload payload) {
        return new QuarantinedMessage(delivery, payload, failure("java.lang.IllegalStateException: poison"), 1);
    }

    private static QuarantineFailure failure(String text) {
        return new QuarantineFailure("java.lang.IllegalStateException", "0123456789abcdef", text);
    }
}

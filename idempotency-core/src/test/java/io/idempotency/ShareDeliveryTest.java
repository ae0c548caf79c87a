package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.kafka.LogCapture;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Messages of a share group, one by one: which consumers may have them, and what failures do. */
class ShareDeliveryTest {

    private static final MessageReader<String> READER = new MessageReader<>() {
        @Override
        public Position position(String message) {
            return new Position("orders", 0, Long.parseLong(message.replaceAll("[^0-9]", "")));
        }

        @Override
        public boolean isShared(String message) {
            return true;
        }

        @Override
        public Payload payload(String message) {
            return Payload.none(Payload.Origin.POSITION_ONLY);
        }
    };

    private final MemoryStore store = MemoryStore.create();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);

    private IdempotentConsumerBuilder<String> builder() {
        return IdempotentConsumer.<String>named("billing")
                .store(store)
                .quarantine(quarantine)
                .reader(READER)
                .failures(FailurePolicy.quarantineAfter(2).backOff(Duration.ofMillis(70), Duration.ofSeconds(1)))
                .messageId(Optional::of);
    }

    private static void fail(String message, io.idempotency.store.Claim claim) {
        throw new IllegalStateException("Cannot handle it");
    }

    @ParameterizedTest
    @EnumSource(
            value = ConsistencyLevel.class,
            names = {"AT_MOST_ONCE", "NONE"})
    @Tag("rule-14.1")
    void refusesLevelsThatMeanNothingThere(ConsistencyLevel level) {
        assertRefused(builder().level(level), "its level is " + level);
    }

    @Test
    @Tag("rule-14.1")
    void refusesTheOrderOfKeysShadowsAndConsumersWithoutQuarantine() {
        assertRefused(builder().keyOrder(message -> Optional.of(message)), "keeps the order of keys");
        assertRefused(builder().shadow(), "only watches");
        assertRefused(
                IdempotentConsumer.<String>named("billing").store(store).messageId(Optional::of), "has no quarantine");
    }

    private static void assertRefused(IdempotentConsumerBuilder<String> builder, String why) {
        try (IdempotentConsumer<String> consumer = builder.build()) {
            assertThatThrownBy(() -> ShareDelivery.of(consumer))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("cannot have the records of a share group")
                    .hasMessageContaining(why);
        }
    }

    @Test
    @Tag("rule-14.3")
    void failuresOfInterleavedMessagesOfOnePartitionAreCountedApart() {
        ShareDelivery<String> delivery = ShareDelivery.of(builder().build());

        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 4)).contains(Duration.ofMillis(70));
        assertThat(delivery.consume("m2", ShareDeliveryTest::fail, 4)).contains(Duration.ofMillis(70));
        assertThat(delivery.consume("m3", (message, claim) -> {}, 4)).isEmpty();
        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 4)).isEmpty();
        assertThat(delivery.consume("m2", ShareDeliveryTest::fail, 4)).isEmpty();

        assertThat(quarantine
                        .find(new MessageId("billing", "m1"))
                        .orElseThrow()
                        .message()
                        .attempts())
                .isEqualTo(2);
        assertThat(quarantine.find(new MessageId("billing", "m2"))).isPresent();
    }

    @Test
    @Tag("rule-1.6")
    void ifAllMessagesFailInTheSameWayTheyWaitInsteadOfDrainingIntoQuarantine() {
        ShareDelivery<String> delivery = ShareDelivery.of(builder()
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(3)
                .build());
        for (int i = 1; i <= 3; i++) {
            assertThat(delivery.consume("m" + i, ShareDeliveryTest::fail, 4)).isEmpty();
        }

        assertThat(delivery.consume("m4", ShareDeliveryTest::fail, 4)).contains(IdempotentConsumer.STAND_STILL);
        assertThat(delivery.consume("m5", ShareDeliveryTest::fail, 4)).contains(IdempotentConsumer.STAND_STILL);

        // The cause is mended.
        assertThat(delivery.consume("m5", (message, claim) -> {}, 4)).isEmpty();
        assertThat(delivery.consume("m4", ShareDeliveryTest::fail, 4)).isEmpty();
    }

    @Test
    @Tag("rule-14.4")
    void whatAnEarlierAttemptKeptIsDeletedWhenTheMessageTurnsOutADuplicate() {
        ShareDelivery<String> delivery = ShareDelivery.of(builder().build());
        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 1)).isPresent();
        assertThat(quarantine.find(new MessageId("billing", "m1"))).isPresent();
        assertThat(ShareDelivery.of(builder().build()).consume("m1", (message, claim) -> {}, 4))
                .as("by another member")
                .isEmpty();

        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 1)).isEmpty();

        assertThat(quarantine.find(new MessageId("billing", "m1"))).isEmpty();
    }

    @Test
    @Tag("rule-14.4")
    void theLastDeliveryThatWouldDrainStaysInQuarantineAsWhatItIs() {
        ShareDelivery<String> delivery = ShareDelivery.of(builder()
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(1)
                .build());
        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 4)).isEmpty();

        assertThat(delivery.consume("m2", ShareDeliveryTest::fail, 0)).contains(IdempotentConsumer.STAND_STILL);
        assertThat(quarantine
                        .find(new MessageId("billing", "m2"))
                        .orElseThrow()
                        .message()
                        .failure()
                        .type())
                .isEqualTo(LastDeliveryException.class.getName());

        assertThat(delivery.consume("m2", (message, claim) -> {}, 0)).isEmpty();
        assertThat(quarantine.find(new MessageId("billing", "m2"))).isEmpty();
    }

    @Test
    @Tag("rule-14.4")
    void theLastButOneDeliveryIsKeptTooAndTriedAsOftenAsEver() {
        ShareDelivery<String> delivery = ShareDelivery.of(builder().build());

        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 1)).contains(Duration.ofMillis(70));
        assertThat(quarantine.find(new MessageId("billing", "m1"))).isPresent();

        assertThat(delivery.consume("m1", (message, claim) -> {}, 0)).isEmpty();
        assertThat(quarantine.find(new MessageId("billing", "m1"))).isEmpty();
    }

    @Test
    @Tag("rule-14.4")
    void theEntryOfAnotherQuarantineIsLeftAlone() {
        ShareDelivery<String> delivery = ShareDelivery.of(builder().build());
        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 4)).isPresent();
        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 4)).isEmpty();

        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 0)).isEmpty();

        assertThat(quarantine
                        .find(new MessageId("billing", "m1"))
                        .orElseThrow()
                        .message()
                        .attempts())
                .isEqualTo(2);
    }

    @Test
    @Tag("rule-14.3")
    void theLogSaysWhenAMessageThatHadWaitedIsSettledAndNotThatItsPartitionGoesOn() {
        AtomicLong now = new AtomicLong();
        IdempotentConsumer<String> consumer = builder().build(now::get);
        ShareDelivery<String> delivery = ShareDelivery.of(consumer);
        try (LogCapture log = new LogCapture()) {
            for (long seconds : new long[] {0, 12}) {
                now.set(Duration.ofSeconds(seconds).toNanos());
                assertThat(delivery.consume("m3" + seconds, (message, claim) -> {}, 4))
                        .isEmpty();
                assertThat(delivery.consume("m1", ShareDeliveryTest::wait, 4)).isPresent();
                assertThat(delivery.consume("m2", ShareDeliveryTest::wait, 4)).isPresent();
            }
            assertThat(log.all()).noneMatch(line -> line.contains("goes on:") || line.contains("is settled"));
            delivery.giveUp(new Position("orders", 0, 2));
            now.set(Duration.ofSeconds(24).toNanos());

            assertThat(delivery.consume("m1", (message, claim) -> {}, 4)).isEmpty();
            assertThat(delivery.consume("m2", (message, claim) -> {}, 4)).isEmpty();

            assertThat(log.all())
                    .filteredOn(line -> line.contains("goes on:") || line.contains("is settled"))
                    .containsExactly("billing/m1 at orders-0@1 is settled: it had waited for 24 s.");
        }
    }

    private static void wait(String message, io.idempotency.store.Claim claim) {
        throw new TransientStoreException("Its service is down");
    }

    @Test
    @Tag("rule-14.3")
    void attemptsOfAGivenUpMessageAreForgotten() {
        IdempotentConsumer<String> consumer = builder().build();
        ShareDelivery<String> delivery = ShareDelivery.of(consumer);
        assertThat(delivery.consume("m1", ShareDeliveryTest::fail, 4)).isPresent();

        delivery.giveUp(new Position("orders", 0, 1));

        assertThat(consumer.flow().lanes().isEmpty()).isTrue();
    }
}

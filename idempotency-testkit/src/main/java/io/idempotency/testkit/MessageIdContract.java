package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.claimed;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores about message ids: two ids are the same only if they are equal, character by character. */
public interface MessageIdContract extends StoreContract {

    @Test
    @Tag("rule-2.5")
    default void tellsIdsApartThatLookAlike() {
        assertAllDistinct(
                "a-1",
                "A-1",
                "a-1 ",
                " a-1",
                "a_1",
                "a%1",
                "a-1\u00a0",
                "\u00e4-1",
                "a\u0308-1",
                "ａ-1",
                "0",
                "00",
                "-0");
    }

    @Test
    @Tag("rule-2.5")
    default void tellsUuidsFromStringsThatLookLikeThem() {
        assertAllDistinct(
                "0190b5a2-7c11-7d3e-8f00-0123456789ab",
                "0190B5A2-7C11-7D3E-8F00-0123456789AB",
                "0190b5a2-7c11-7d3e-8f00-0123456789AB",
                "0190b5a27c117d3e8f000123456789ab",
                "{0190b5a2-7c11-7d3e-8f00-0123456789ab}",
                "urn:uuid:0190b5a2-7c11-7d3e-8f00-0123456789ab",
                "190b5a2-7c11-7d3e-8f00-0123456789ab",
                "0190b5a2-7c11-7d3e-8f00-0123456789ab ",
                "0190b5a2-7c11-8d3e-8f00-0123456789ab",
                "0190b5a2-7c11-4d3e-8f00-0123456789ab",
                "0190b5a2-7c11-4d3e-cf00-0123456789ab",
                "0190b5a2-7c11-0d3e-8f00-0123456789ab",
                "00000000-0000-0000-0000-000000000000",
                "ffffffff-ffff-ffff-ffff-ffffffffffff");
    }

    @Test
    @Tag("rule-2.5")
    default void tellsIdsApartThatDifferInTheirLastCharacterOnly() {
        String long1 = "x".repeat(MessageId.MAX_BYTES - 1);
        String wide = "\uD83D\uDE80".repeat(MessageId.MAX_BYTES / 4 - 1);
        assertAllDistinct(long1 + "1", long1 + "2", long1, wide + "\uD83D\uDE80", wide + "\uD83D\uDE81", wide);
    }

    @Test
    @Tag("rule-2.5")
    default void tellsIdsInAllScriptsApart() {
        assertAllDistinct(
                "заказ-1", "注文-1", "הזמנה-1", "παραγγελία-1", "commande-é", "commande-e\u0301", "\uD83D\uDE80");
    }

    @Test
    @Tag("rule-2.5")
    default void tellsTheConsumersOfAnIdApartByCase() {
        Messages messages = Messages.ofNewConsumer();
        Delivery lower = messages.at("order-1", 1);
        Delivery upper =
                new Delivery(new MessageId(messages.consumer().toUpperCase(Locale.ROOT), "order-1"), lower.position());

        assertThat(claimed(store(), List.of(lower, upper))).allMatch(Claim::isGranted);
    }

    private void assertAllDistinct(String... values) {
        Messages messages = Messages.ofNewConsumer();
        List<Delivery> deliveries = new ArrayList<>();
        for (String value : values) {
            deliveries.add(messages.at(value, deliveries.size()));
        }

        assertThat(claimed(store(), deliveries)).allMatch(Claim::isGranted);

        assertThat(claimed(store(), deliveries)).extracting(Claim::status).containsOnly(Status.DUPLICATE);
        for (Delivery delivery : deliveries) {
            assertThat(store().find(delivery.id()).orElseThrow().position())
                    .as("position of " + delivery.id())
                    .isEqualTo(delivery.position());
        }
    }
}

package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.memory.MemoryAudit;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The stores of consumers, found by what is remembered. */
@Tag("rule-8.28")
class ConsumerStoresTest {

    private final MemoryStore one = MemoryStore.create();
    private final MemoryStore other = MemoryStore.create();
    private final ConsumerStores stores = ConsumerStores.of(one, other);

    private static void claim(MemoryStore store, String consumer) {
        Delivery delivery = new Delivery(new MessageId(consumer, "4711"), new Position("orders", 0, 1));
        store.transactions().inTransaction(() -> store.claim(List.of(delivery)));
    }

    @Test
    void listsEachConsumerWithItsStores() {
        claim(one, "billing");
        claim(other, "shipping");
        claim(one, "moved");
        claim(other, "moved");
        claim(one, "idempotency.purger");

        assertThat(stores.all())
                .isEqualTo(Map.of("billing", List.of(one), "shipping", List.of(other), "moved", List.of(one, other)));
    }

    @Test
    void findsTheStoreOfAConsumer() {
        claim(other, "shipping");

        assertThat(stores.apply("shipping")).isSameAs(other);
        assertThat(stores.apply("nobody")).isSameAs(one);
    }

    @Test
    void asksWhichStoreOfAConsumerIsMeantThatHasTwo() {
        claim(one, "moved");
        claim(other, "moved");

        assertThatThrownBy(() -> stores.apply("moved"))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("moved is remembered by 2 stores");
    }

    @Test
    void aWrongNameIsAnErrorThatNamesTheConsumersOfAllStores() {
        claim(one, "billing");
        claim(other, "shipping");
        Operations operations =
                Operations.of(stores, new MemoryQuarantine(one), Optional.empty(), new MemoryAudit(one));

        assertThatThrownBy(() -> operations.explain("shiping", "4711"))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageEndingWith("Known here: billing, shipping");
    }
}

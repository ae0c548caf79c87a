package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.StoredId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MessageKeyTest {

    @Test
    void comparesLikeTheDatabasesByteByByte() {
        List<MessageKey> keys = new ArrayList<>();
        for (String first : List.of("00", "7f", "80", "ff")) {
            keys.add(new MessageKey(1, UUID.fromString(first + "000000-0000-4000-8000-000000000000")));
        }
        List<MessageKey> shuffled = new ArrayList<>(keys);
        Collections.shuffle(shuffled, new Random(3));

        assertThat(shuffled.stream().sorted()).containsExactlyElementsOf(keys);
        assertThat(StoredId.fromBytes(StoredId.toBytes(keys.get(2).id())))
                .isEqualTo(keys.get(2).id());
    }

    @Test
    void packsTheStateReversibly() {
        for (MessageState.Status status : MessageState.Status.values()) {
            MessageState state = new MessageState(status, 8191, 255, 0).sealed(123_456_789);
            assertThat(MessageState.of(state.packed())).isEqualTo(state);
            assertThat(state.packed()).isNotNegative();
        }
        assertThat(MessageState.of(MessageState.leased(100_000, 1000).packed()))
                .isEqualTo(MessageState.leased(8191, 255));
    }
}

package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("rule-2.5")
class MessageKeyTest {

    @Test
    void keepsCanonicalUuidsOfVersionsOneToSeven() {
        for (char version = '1'; version <= '7'; version++) {
            String value = "0190b5a2-7c11-" + version + "d3e-8f00-0123456789ab";
            assertThat(MessageKey.idOf(value)).hasToString(value);
        }
    }

    @Test
    void marksEverythingElseAsVersionEight() {
        List<String> others = List.of(
                "order-1",
                "0190B5A2-7C11-7D3E-8F00-0123456789AB",
                "0190b5a2-7c11-8d3e-8f00-0123456789ab",
                "0190b5a2-7c11-0d3e-8f00-0123456789ab",
                "0190b5a2-7c11-fd3e-8f00-0123456789ab",
                "0190b5a2-7c11-7d3e-8f00-0123456789a",
                "0190b5a2-7c11-7d3e-8f00-0123456789abc",
                "0190b5a27-c11-7d3e-8f00-0123456789ab",
                "/190b5a2-7c11-7d3e-8f00-0123456789ab",
                "0190b5a2-:c11-7d3e-8f00-0123456789ab",
                "0190b5a2-7c11-7d3`-8f00-0123456789ab",
                "0190b5a2-7c11-7d3e-8g00-0123456789ab",
                "0190b5a2-7c11-7d3e-8f00-0123456789a\u0161",
                "0190b5a2-7c11-7d3e-8f00-0123456789a\uFF11");

        assertThat(others).extracting(value -> MessageKey.idOf(value).version()).containsOnly(8);
        assertThat(others).extracting(MessageKey::idOf).doesNotHaveDuplicates();
        assertThat(others).noneMatch(value -> MessageKey.idOf(value).toString().equals(value));
    }

    @Test
    void cannotBeReachedByAnIdThatLooksLikeTheHashOfAnother() {
        UUID hashed = MessageKey.idOf("order-1");

        assertThat(MessageKey.idOf(hashed.toString())).isNotEqualTo(hashed);
    }

    @Test
    void isInjectiveOverManyIds() {
        Random random = new Random(11);
        Set<UUID> keys = new HashSet<>();
        for (int i = 0; i < 100_000; i++) {
            keys.add(MessageKey.idOf("id-" + i));
            keys.add(MessageKey.idOf(new UUID(random.nextLong(), random.nextLong()).toString()));
        }
        assertThat(keys).hasSize(200_000);
    }

    @Test
    void comparesLikeTheDatabasesByteByByte() {
        List<MessageKey> keys = new ArrayList<>();
        for (String first : List.of("00", "7f", "80", "ff")) {
            keys.add(new MessageKey(1, UUID.fromString(first + "000000-0000-4000-8000-000000000000")));
        }
        List<MessageKey> shuffled = new ArrayList<>(keys);
        Collections.shuffle(shuffled, new Random(3));

        assertThat(shuffled.stream().sorted()).containsExactlyElementsOf(keys);
        assertThat(MessageKey.fromBytes(MessageKey.toBytes(keys.get(2).id())))
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

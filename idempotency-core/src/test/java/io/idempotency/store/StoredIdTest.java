package io.idempotency.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("rule-2.5")
class StoredIdTest {

    @Test
    void keepsCanonicalUuidsOfVersionsOneToSeven() {
        for (char version = '1'; version <= '7'; version++) {
            String value = "0190b5a2-7c11-" + version + "d3e-8f00-0123456789ab";
            assertThat(StoredId.of(value)).hasToString(value);
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

        assertThat(others).extracting(value -> StoredId.of(value).version()).containsOnly(8);
        assertThat(others).extracting(StoredId::of).doesNotHaveDuplicates();
        assertThat(others).noneMatch(value -> StoredId.of(value).toString().equals(value));
    }

    @Test
    void cannotBeReachedByAnIdThatLooksLikeTheHashOfAnother() {
        UUID hashed = StoredId.of("order-1");

        assertThat(StoredId.of(hashed.toString())).isNotEqualTo(hashed);
    }

    @Test
    void isInjectiveOverManyIds() {
        Random random = new Random(11);
        Set<UUID> keys = new HashSet<>();
        for (int i = 0; i < 100_000; i++) {
            keys.add(StoredId.of("id-" + i));
            keys.add(StoredId.of(new UUID(random.nextLong(), random.nextLong()).toString()));
        }
        assertThat(keys).hasSize(200_000);
    }
}

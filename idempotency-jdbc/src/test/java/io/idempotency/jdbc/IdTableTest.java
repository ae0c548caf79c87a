package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An id that is found although it was never added would be a lost message. */
class IdTableTest {

    private final Random random = new Random(42);
    private final IdTable table = new IdTable();
    private final Map<UUID, Integer> added = new HashMap<>();

    private void add(long high, long low) {
        added.put(new UUID(high, low), table.add(high, low));
    }

    private void requireAllFound() {
        added.forEach((id, number) -> assertThat(find(id)).as("%s", id).isEqualTo(number));
    }

    private int find(UUID id) {
        return table.find(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    @Test
    void findsNothingInAnEmptyTable() {
        assertThat(table.find(0, 0)).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 32, 33, 48, 49, 1023, 1024, 1025, 5_000, 100_000, 300_000})
    void findsWhatWasAddedAtOnceAndNothingElse(int ids) {
        for (int i = 0; i < ids; i++) {
            add(random.nextLong(), random.nextLong());
        }
        table.index();

        assertThat(table.size()).isEqualTo(ids);
        requireAllFound();
        for (int i = 0; i < ids; i++) {
            assertThat(table.find(random.nextLong(), random.nextLong())).isEqualTo(-1);
        }
    }

    /** As the ids of a poll are compared with each other. The table grows if there are more than expected. */
    @ParameterizedTest
    @CsvSource({"500,500", "500,10", "2000,1"})
    void addsEachIdOnceOneByOne(int count, int expected) {
        IdTable once = new IdTable(expected);
        Ids ids = new Ids(2 * count);
        for (int i = 0; i < count; i++) {
            ids.add(random.nextLong(), random.nextLong());
            int copied = random.nextInt(ids.size());
            ids.add(ids.high(copied), ids.low(copied));
        }
        Map<UUID, Integer> numbers = new HashMap<>();

        for (int i = 0; i < ids.size(); i++) {
            UUID id = new UUID(ids.high(i), ids.low(i));
            Integer known = numbers.putIfAbsent(id, numbers.size());
            assertThat(once.addIfAbsent(ids, i)).isEqualTo(known == null ? -1 : known);
        }
        assertThat(once.size()).isEqualTo(numbers.size());
        numbers.forEach((id, number) -> assertThat(once.find(id.getMostSignificantBits(), id.getLeastSignificantBits()))
                .isEqualTo(number));
    }

    /** A few ids at a time, as the messages of polls enter a window. */
    @Test
    void findsWhatWasAddedPollByPoll() {
        for (int poll = 0; poll < 100; poll++) {
            for (int i = 0; i < 500; i++) {
                add(random.nextLong(), random.nextLong());
            }
            UUID again = added.keySet().iterator().next();
            add(again.getMostSignificantBits(), again.getLeastSignificantBits());
            table.index();
        }

        requireAllFound();
        assertThat(table.find(random.nextLong(), random.nextLong())).isEqualTo(-1);
    }

    /** Each of these ids would be compared with all before it: UUIDs of version 4 that a fixed function sends to one slot. */
    @Test
    void spreadsIdsThatAreMadeToCollideInAFunctionThatAnybodyKnows() {
        int ids = 4_096;
        Set<Integer> slots = new HashSet<>();
        Set<Integer> slotsOfRandomOnes = new HashSet<>();
        for (int added = 0; added < ids; ) {
            long high = (random.nextLong() & ~0xF000L) | 0x4000L;
            long low = high * 0x9E3779B97F4A7C15L ^ 0x1234_5678_9ABC_DEF0L;
            if (low >>> 62 == 2) {
                slots.add((int) (IdTable.hash(high, low) >>> 32) & (ids - 1));
                slotsOfRandomOnes.add((int) (IdTable.hash(random.nextLong(), random.nextLong()) >>> 32) & (ids - 1));
                added++;
            }
        }

        assertThat(slots.size()).isGreaterThan(slotsOfRandomOnes.size() / 2);
    }

    @ParameterizedTest
    @CsvSource({"1, 3000", "7, 10000", "500, 100000", "40000, 200000"})
    void findsAllThatWasAddedInTurnsWithLookUps(int atOnce, int ids) {
        while (table.size() < ids) {
            UUID absent = UUID.randomUUID();
            assertThat(find(absent)).isEqualTo(-1);
            for (int i = 0; i < atOnce; i++) {
                add(random.nextLong(), random.nextLong());
            }
        }
        requireAllFound();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 48, 5_000, 100_000})
    void findsManyAtOnceAsItFindsEach(int ids) {
        Ids sought = new Ids(1);
        for (int i = 0; i < ids; i++) {
            add(random.nextInt(ids), random.nextInt(2));
            sought.add(random.nextInt(ids), random.nextInt(3));
        }
        int[] found = table.find(sought);

        assertThat(found).hasSize(ids);
        for (int i = 0; i < ids; i++) {
            assertThat(found[i]).isEqualTo(added.getOrDefault(new UUID(sought.high(i), sought.low(i)), -1));
        }
        requireAllFound();
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 1_000, 100_000})
    void findsTheLastNumberOfAnIdThatWasAddedAgain(int different) {
        for (int i = 0; i < 3 * different; i++) {
            add(random.nextInt(different), 7);
        }
        requireAllFound();
        for (int i = 0; i < different; i++) {
            add(i, 7);
        }
        requireAllFound();
    }

    @Test
    void tellsIdsApartThatDifferInOneHalfOrInAFewBits() {
        for (int i = 0; i < 50_000; i++) {
            add(i, 0);
            add(0, i);
            add(i, i);
            add((long) i << 32, 0x7000_0000_0000_0000L);
        }
        requireAllFound();
        for (long i = 50_000; i < 100_000; i++) {
            assertThat(table.find(i, 0)).isEqualTo(-1);
            assertThat(table.find(0, i)).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 64, 500, 1_024, 2_000})
    void growsBeyondWhatWasExpected(int expected) {
        IdTable small = new IdTable(expected);
        for (int i = 0; i < 5_000; i++) {
            assertThat(small.add(i, -i)).isEqualTo(i);
            assertThat(small.find(i, -i)).isEqualTo(i);
        }
        for (int i = 0; i < 5_000; i++) {
            assertThat(small.find(i, -i)).isEqualTo(i);
            assertThat(small.find(-1 - i, i)).isEqualTo(-1);
        }
    }

    @Test
    void refusesMoreThanThereIsRoomFor() {
        for (int i = 0; i < IdTable.CAPACITY; i++) {
            table.add(i, i);
        }
        assertThat(table.isFull()).isTrue();
        assertThat(table.find(IdTable.CAPACITY - 1, IdTable.CAPACITY - 1)).isEqualTo(IdTable.CAPACITY - 1);
        assertThatThrownBy(() -> table.add(-1, -1)).isInstanceOf(IllegalStateException.class);
    }
}

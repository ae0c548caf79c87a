package io.idempotency.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.StoredId;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdFilterTest {

    private static final long MUCH = 1L << 30;
    private static final long A_FILTER = 20_000;

    private final Random random = new Random(18);

    /** Whatever happens, and however the memory ends, no id of the store is taken for absent. */
    @ParameterizedTest
    @ValueSource(longs = {0, A_FILTER, 2 * A_FILTER, 5 * A_FILTER, 12 * A_FILTER, MUCH})
    @Tag("rule-15.8")
    void takesNoIdOfTheStoreForAbsent(long bytes) {
        FilterMemory memory = new FilterMemory(bytes);
        Simulation simulation = new Simulation(new IdFilter("test", memory));
        for (int step = 0; step < 2_000; step++) {
            simulation.step();
        }
        simulation.filter.close();

        assertThat(simulation.passes).isGreaterThan(20);
        assertThat(simulation.failedPasses).isGreaterThan(5);
        if (bytes == MUCH) {
            assertThat(simulation.known).as("new ids that it knows to be new").isGreaterThan(simulation.asked * 5);
        }
        assertThat(memory.take(bytes)).as("all memory is given back").isTrue();
    }

    /** A store that gains and loses ids, and is gone through in parts. */
    private final class Simulation {

        private final IdFilter filter;
        private final NavigableSet<Bytes> store = new TreeSet<>();
        private @Nullable Bytes next;
        private int passes;
        private int failedPasses;
        private int known;
        private int asked;

        Simulation(IdFilter filter) {
            this.filter = filter;
        }

        void step() {
            int kind = random.nextInt(10);
            if (kind < 6) {
                add(random.nextInt(100));
            } else if (kind < 9) {
                pass(random.nextInt(2_000), random.nextInt(50) == 0);
            } else {
                check();
            }
        }

        private void add(int count) {
            for (int i = 0; i < count; i++) {
                Bytes id = id();
                if (filter.isAbsent(id)) {
                    known++;
                } else {
                    asked++;
                }
                filter.add(id);
                store.add(id);
            }
        }

        /** Goes on with a pass, deletes some ids, and leaves in the middle if it fails. */
        private void pass(int part, boolean isFailing) {
            if (next == null) {
                filter.begin(store.size());
            }
            List<Bytes> rest = new ArrayList<>(next == null ? store : store.tailSet(next));
            next = null;
            for (Bytes id : rest) {
                if (part-- == 0) {
                    if (isFailing) {
                        failedPasses++;
                        return;
                    }
                    next = id;
                    break;
                }
                if (random.nextInt(20) == 0) {
                    store.remove(id);
                } else {
                    filter.tell(id);
                }
            }
            if (next == null) {
                passes++;
                filter.end();
            } else {
                filter.tellTo(next);
            }
        }

        private void check() {
            assertThat(store).noneMatch(filter::isAbsent);
        }
    }

    @Test
    void forgetsDeletedIdsWithTheNextPass() {
        IdFilter filter = new IdFilter("test", new FilterMemory(MUCH));
        List<Bytes> deleted = ids(1_000);
        filter.begin(0);
        filter.end();
        deleted.forEach(filter::add);
        assertThat(deleted).noneMatch(filter::isAbsent);

        filter.begin(0);
        filter.end();

        assertThat(deleted).filteredOn(filter::isAbsent).hasSizeGreaterThan(950);
    }

    /** Not only random ids: those of version 1 and 7 differ in few bits, and so do texts. */
    @Test
    void takesFewAbsentIdsForOthersOfTheSameKindHoweverFarItGrows() {
        for (int kind = 0; kind < 3; kind++) {
            IdFilter filter = new IdFilter("test", new FilterMemory(MUCH));
            filter.begin(0);
            filter.end();
            int count = 200_000;
            int wrong = 0;
            for (int i = 0; i < count; i++) {
                Bytes id = id(kind, i);
                wrong += filter.isAbsent(id) ? 0 : 1;
                filter.add(id);
            }

            // One in a hundred for each of its parts, of which each is as large as all before.
            assertThat(wrong).as("kind %d", kind).isLessThan(count / 25);
            filter.close();
        }
    }

    private static Bytes id(int kind, int i) {
        return switch (kind) {
            case 0 -> bytes(new UUID(0x1ec9414c232a1000L + ((long) i << 32), 0xb6d99e1a2b3c4d5eL));
            case 1 -> bytes(new UUID(0x017f22e279b07000L + ((long) (i / 100) << 16), 0x8000000000000000L + i));
            default -> bytes(StoredId.of("payment-" + i));
        };
    }

    private List<Bytes> ids(int count) {
        return Stream.generate(this::id).limit(count).toList();
    }

    private Bytes id() {
        return bytes(new UUID(random.nextLong(), random.nextLong()));
    }

    private static Bytes bytes(UUID id) {
        return Bytes.wrap(StoredId.toBytes(id));
    }
}

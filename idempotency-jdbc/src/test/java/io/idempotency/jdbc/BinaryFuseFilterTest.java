package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A key that is denied although it is there would be a message that is handled twice. */
class BinaryFuseFilterTest {

    private static final int PROBES = 4_000_000;

    private final SplittableRandom random = new SplittableRandom(7);

    private void requireAll(long[] keys, BinaryFuseFilter filter) {
        for (long key : keys) {
            assertThat(filter.mayContain(key)).isTrue();
        }
    }

    /** Returns how many of four million random keys it takes for its own. One of 65,536 would be 61. */
    private int wrong(BinaryFuseFilter filter) {
        SplittableRandom others = new SplittableRandom(8);
        int wrong = 0;
        for (int i = 0; i < PROBES; i++) {
            wrong += filter.mayContain(others.nextLong()) ? 1 : 0;
        }
        return wrong;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 10, 31, 100, 1_000, 12_345, 100_000, 399_999})
    void knowsAllItsKeysAndHardlyAnyOther(int size) {
        long[] keys = random.longs(size).toArray();
        BinaryFuseFilter filter = BinaryFuseFilter.of(keys);

        requireAll(keys, filter);
        assertThat(wrong(filter)).isBetween(20, 122);
    }

    @Test
    void isBuiltForEachOfManySmallSizes() {
        for (int size = 0; size < 3_000; size++) {
            long[] keys = random.longs(size).toArray();
            requireAll(keys, BinaryFuseFilter.of(keys));
        }
    }

    @Test
    void takesAboutEighteenBitsForAKey() {
        assertThat(BinaryFuseFilter.of(random.longs(400_000).toArray()).bytes() * 8.0 / 400_000)
                .isLessThan(18.4);
    }

    @Test
    void fitsIntoAMegabyteIfItHasAsManyKeysAsARowMayHave() {
        assertThat(BinaryFuseFilter.of(random.longs(ArchiveFilter.MOST_MESSAGES + 1_000)
                                .toArray())
                        .packed())
                .hasSizeLessThan(1 << 20);
    }

    @Test
    void isBuiltOfKeysThatComeTwice() {
        long[] keys = LongStream.concat(random.longs(5_000), new SplittableRandom(7).longs(5_000))
                .toArray();
        requireAll(keys, BinaryFuseFilter.of(keys));

        long[] equal = new long[10_000];
        Arrays.fill(equal, 42);
        BinaryFuseFilter filter = BinaryFuseFilter.of(equal);
        requireAll(equal, filter);
        assertThat(wrong(filter)).isLessThan(122);
    }

    @Test
    void isBuiltOfKeysThatAreNotRandom() {
        long[] neighbours = LongStream.range(0, 50_000).toArray();
        long[] withEqualEnds = LongStream.range(0, 50_000).map(i -> i << 40).toArray();
        long[] extremes = {0, -1, 1, Long.MIN_VALUE, Long.MAX_VALUE};
        for (long[] keys : new long[][] {neighbours, withEqualEnds, extremes}) {
            BinaryFuseFilter filter = BinaryFuseFilter.of(keys);
            requireAll(keys, filter);
            assertThat(wrong(filter)).isBetween(20, 122);
        }
    }

    @Test
    void isTheSameAfterItsWayThroughBytes() {
        long[] keys = random.longs(10_000).toArray();
        BinaryFuseFilter filter = BinaryFuseFilter.of(keys);
        BinaryFuseFilter unpacked = BinaryFuseFilter.unpacked(filter.packed());

        requireAll(keys, unpacked);
        assertThat(unpacked.packed()).isEqualTo(filter.packed());
        assertThat(wrong(unpacked)).isEqualTo(wrong(filter));
        assertThat(unpacked.bytes()).isEqualTo(filter.packed().length);
    }

    @Test
    void refusesBytesThatWereCut() {
        byte[] packed = BinaryFuseFilter.of(new long[] {1, 2, 3}).packed();

        assertThatThrownBy(() -> BinaryFuseFilter.unpacked(Arrays.copyOf(packed, packed.length - 2)))
                .isInstanceOf(IllegalStateException.class);
    }
}

package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A key that is denied although it is there would be a message that is handled twice. */
class BinaryFuseFilterTest {

    private static final int PROBES = 4_000_000;

    private final SplittableRandom random = new SplittableRandom(7);

    private static void requireAll(long[] keys, BinaryFuseFilter filter) {
        assertThat(maybes(keys, filter)).isEqualTo(keys.length);
    }

    private static int maybes(long[] keys, BinaryFuseFilter filter) {
        SoughtKeys sought = new SoughtKeys(keys);
        filter.locate(sought, 0, keys.length);
        filter.compare(sought, 0, keys.length);
        return (int) IntStream.range(0, keys.length).filter(sought::isMaybe).count();
    }

    /** Returns how many of four million random keys it takes for its own. One of 65,536 would be 61. */
    private static int wrong(BinaryFuseFilter filter) {
        return maybes(new SplittableRandom(8).longs(PROBES).toArray(), filter);
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
    void answersForThoseOfTheKeysThatItIsAskedAbout() {
        long[] keys = random.longs(100).toArray();
        BinaryFuseFilter some = BinaryFuseFilter.of(Arrays.copyOf(keys, 40));
        BinaryFuseFilter rest = BinaryFuseFilter.of(Arrays.copyOfRange(keys, 40, 100));
        SoughtKeys sought = new SoughtKeys(keys);

        some.locate(sought, 0, 40);
        rest.locate(sought, 40, 100);
        some.compare(sought, 0, 40);
        rest.compare(sought, 40, 100);
        assertThat(IntStream.range(0, 100)).allMatch(sought::isMaybe);

        rest.locate(sought, 0, 40);
        rest.compare(sought, 0, 40);
        assertThat(IntStream.range(0, 40)).noneMatch(sought::isMaybe);
        assertThat(IntStream.range(40, 100)).allMatch(sought::isMaybe);
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

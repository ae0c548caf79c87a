package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pages of an archive: what goes in comes out, and nothing else is found. */
class ArchivePageTest {

    private static final Kind[] KINDS = Kind.values();

    private final SplittableRandom random = new SplittableRandom(3);
    private final ArchiveHash hash = new ArchiveHash(17);

    private record Message(long hash, long low, long offset, int time, Kind kind) {}

    private List<Message> messages(int size, boolean areMarked) {
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            long low = random.nextLong();
            Kind kind = areMarked ? KINDS[random.nextInt(KINDS.length)] : Kind.PROCESSED;
            messages.add(new Message(
                    hash.hash(random.nextLong(), low), low, random.nextInt(1 << 20), random.nextInt(1 << 16), kind));
        }
        messages.sort(Comparator.comparingLong(Message::hash).thenComparingLong(Message::low));
        return messages;
    }

    private static List<ArchivePage> pages(List<Message> messages, int offsetBytes) {
        List<ArchivePage> pages = new ArrayList<>();
        ArchivePaging paging = new ArchivePaging(offsetBytes, pages::add);
        messages.forEach(each -> paging.add(each.hash(), each.low(), each.offset(), each.time(), each.kind()));
        paging.end();
        return pages;
    }

    private static List<Message> unpacked(List<ArchivePage> pages) {
        List<Message> messages = new ArrayList<>();
        for (ArchivePage page : pages) {
            for (int i = 0; i < page.size(); i++) {
                messages.add(new Message(page.hash(i), page.low(i), page.offset(i), page.time(i), page.kind(i)));
            }
        }
        return messages;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 300, 398, 399, 400, 10_000, 100_000})
    void giveBackWhatWasPutIn(int size) {
        for (boolean areMarked : new boolean[] {false, true}) {
            List<Message> messages = messages(size, areMarked);
            List<ArchivePage> pages = pages(messages, 3);

            assertThat(unpacked(pages)).isEqualTo(messages);
            for (ArchivePage page : pages) {
                for (int i = 0; i < page.size(); i++) {
                    assertThat(page.find(page.hash(i), page.low(i))).isEqualTo(i);
                    assertThat(page.find(page.hash(i), page.low(i) + 1)).isEqualTo(-1);
                }
                assertThat(page.find(random.nextLong(), 0)).isEqualTo(-1);
                assertThat(page.firstHash()).isEqualTo(page.hash(0));
            }
        }
    }

    @Test
    void fillARowOfTheDatabaseAndNoMore() {
        List<ArchivePage> pages = pages(messages(100_000, false), 3);

        for (ArchivePage page : pages.subList(0, pages.size() - 1)) {
            assertThat(page.ids().length + page.offsets().length + page.times().length + page.kinds().length)
                    .isBetween(7_300, 7_950);
        }
    }

    @Test
    void takeOffsetsOfAnyWidth() {
        for (long greatest : new long[] {0, 1, 255, 256, 1L << 40, Long.MAX_VALUE}) {
            List<Message> messages = List.of(
                    new Message(Long.MIN_VALUE, 1, greatest, 0xFFFF, Kind.PROCESSED),
                    new Message(Long.MAX_VALUE, 2, 0, 0, Kind.PROCESSED));

            assertThat(unpacked(pages(messages, ArchivePage.bytes(greatest)))).isEqualTo(messages);
        }
    }

    @Test
    void keepEqualHashesTogether() {
        List<Message> messages = messages(300, false);
        long last = Long.MAX_VALUE - 1;
        for (int i = 0; i < 500; i++) {
            messages.add(new Message(last, i, i, 0, Kind.PROCESSED));
        }
        messages.add(new Message(Long.MAX_VALUE, 0, 0, 0, Kind.PROCESSED));
        List<ArchivePage> pages = pages(messages, 3);

        assertThat(unpacked(pages)).isEqualTo(messages);
        assertThat(pages.stream().filter(page -> page.find(last, 499) >= 0))
                .singleElement()
                .satisfies(page -> assertThat(page.find(last, 0)).isNotEqualTo(-1));
    }

    @Test
    void saysWhetherAMessageOfItWasQuarantined() {
        assertThat(pages(List.of(new Message(1, 1, 1, 1, Kind.EXPIRED)), 1)
                        .get(0)
                        .hasQuarantined())
                .isFalse();
        assertThat(pages(List.of(new Message(1, 1, 1, 1, Kind.QUARANTINED)), 1)
                        .get(0)
                        .hasQuarantined())
                .isTrue();
    }

    @Test
    void hashIdsSoThatTheirFirstHalfCanBeComputed() {
        for (int i = 0; i < 10_000; i++) {
            UUID id = new UUID(random.nextLong(), random.nextLong());
            long low = id.getLeastSignificantBits();
            assertThat(new UUID(hash.high(hash.hash(id.getMostSignificantBits(), low), low), low))
                    .isEqualTo(id);
        }
    }

    /** With the hash function of another seed, these ids would all have equal hashes. */
    @Test
    void hashIdsThatAreMadeToCollideAsAnyOther() {
        ArchiveHash known = new ArchiveHash(18);
        Set<Long> hashes = new HashSet<>();
        Set<Long> upper = new HashSet<>();
        for (int i = 0; i < 4_096; i++) {
            long low = random.nextLong();
            long high = known.high(4711, low);
            assertThat(known.hash(high, low)).isEqualTo(4711);
            hashes.add(hash.hash(high, low));
            upper.add(hash.hash(high, low) >>> 52);
        }

        assertThat(hashes).hasSize(4_096);
        assertThat(upper).hasSizeBetween(2_400, 2_800); // of random ones about 63 percent
    }

    @Test
    void keepTimesToAPartOfTheSpan() {
        Span span = new Span(1, 2, 1_000_000, 1_000_000 + 65_535 * 40L, 10, 20, 10);
        for (long at = span.firstAt(); at <= span.lastAt(); at += 7) {
            assertThat(Math.abs(span.at(span.packed(at)) - at)).isLessThanOrEqualTo(20);
        }
        assertThat(span.at(span.packed(0))).isEqualTo(span.firstAt());
        assertThat(span.at(span.packed(Long.MAX_VALUE / 65_535))).isEqualTo(span.lastAt());
        Span moment = new Span(1, 1, 5, 5, 0, 0, 0);
        assertThat(moment.at(moment.packed(5))).isEqualTo(5);
        assertThat(moment.offsetBytes()).isZero();
    }

    @Test
    void haveAFilterThatNamesThePageOfAHash() {
        List<ArchivePage> pages = pages(messages(5_000, false), 3);
        long[] hashes = pages.stream().mapToLong(ArchivePage::firstHash).toArray();
        byte[] quarantined = new byte[(pages.size() + 7) / 8];
        quarantined[1] = 1 << 2;
        ArchiveFilter written = new ArchiveFilter(
                hashes,
                quarantined,
                BinaryFuseFilter.of(
                        unpacked(pages).stream().mapToLong(Message::hash).toArray()));
        ArchiveFilter filter = ArchiveFilter.unpacked(
                written.packedHashes(), quarantined, written.filter().packed());

        assertThat(filter.firstHash()).isEqualTo(hashes[0]);
        assertThat(filter.quarantinedPages()).containsExactly(hashes[10]);
        for (ArchivePage page : pages) {
            for (int i = 0; i < page.size(); i++) {
                assertThat(filter.pageOf(page.hash(i))).isEqualTo(page.firstHash());
            }
        }
    }
}

package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import io.idempotency.jdbc.ArchiveList.Question;
import io.idempotency.jdbc.JournalGeneration.Entry;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which pages of archives are to be read for ids. A page that is not asked for would be a message that is handled twice. */
class ArchiveListTest {

    private static final int PAGE = 10;

    private final SplittableRandom random = new SplittableRandom(5);
    private final ArchiveHash hash = new ArchiveHash(17);

    /** Returns an archive of messages with these hashes in ascending order, so many in each filter. */
    private ArchiveFilters archive(long version, long[] hashes, int messagesOfAFilter) {
        ArchiveFilter[] filters = IntStream.range(0, hashes.length / messagesOfAFilter)
                .mapToObj(filter ->
                        Arrays.copyOfRange(hashes, filter * messagesOfAFilter, (filter + 1) * messagesOfAFilter))
                .map(part -> new ArchiveFilter(
                        IntStream.range(0, part.length)
                                .filter(i -> i % PAGE == 0)
                                .mapToLong(i -> part[i])
                                .toArray(),
                        new byte[part.length / PAGE / Byte.SIZE + 1],
                        BinaryFuseFilter.of(part)))
                .toArray(ArchiveFilter[]::new);
        ArchiveHead head = new ArchiveHead(
                new JournalKey(1, 1),
                version,
                State.ACTIVE,
                17,
                new Span(version, version, 0, 0, 0, 0, 0),
                hashes.length,
                0);
        return new ArchiveFilters(head, hash, filters);
    }

    private Ids ids(long[] hashes) {
        Ids ids = new Ids(hashes.length);
        for (long each : hashes) {
            long low = random.nextLong();
            ids.add(hash.high(each, low), low);
        }
        return ids;
    }

    private static long[] shuffled(long[] hashes, SplittableRandom random) {
        long[] shuffled = hashes.clone();
        for (int i = shuffled.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            long kept = shuffled[i];
            shuffled[i] = shuffled[other];
            shuffled[other] = kept;
        }
        return shuffled;
    }

    private static List<Question> ofArchive(List<Question> questions, long version) {
        return questions.stream()
                .filter(each -> each.archive().lastVersion() == version)
                .toList();
    }

    @Test
    void asksEachArchiveForThePageOfEachIdThatItHas() {
        long[] older = random.longs(3_000).sorted().toArray();
        long[] newer = random.longs(500).sorted().toArray();
        ArchiveList list = new ArchiveList(List.of(archive(1, older, 300), archive(2, newer, 500)));
        long[] sought = shuffled(older, random);
        Ids ids = ids(sought);

        List<Question> questions = ofArchive(list.questions(ids, new @Nullable Entry[sought.length], 0), 1);

        assertThat(questions.stream().map(Question::index))
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, sought.length).boxed().toList());
        assertThat(questions).allSatisfy(each -> {
            assertThat(each.hash()).isEqualTo(sought[each.index()]);
            assertThat(each.low()).isEqualTo(ids.low(each.index()));
            assertThat(each.page()).isEqualTo(older[Arrays.binarySearch(older, each.hash()) / PAGE * PAGE]);
        });
    }

    @Test
    void asksForNoIdThatHasAnEntry() {
        long[] hashes = random.longs(100).sorted().toArray();
        ArchiveList list = new ArchiveList(List.of(archive(1, hashes, 50)));
        @Nullable Entry[] entries = new @Nullable Entry[100];
        IntStream.range(0, 100).filter(i -> i % 3 > 0).forEach(i -> entries[i] = new Entry(Kind.PROCESSED, 0, 0, 2));

        assertThat(list.questions(ids(hashes), entries, 0).stream().map(Question::index))
                .hasSize(34)
                .allMatch(index -> index % 3 == 0);
    }

    @Test
    void asksForCopiesAndForHashesWithEqualUpperBits() {
        // The hashes of a filter begin and end within a run of neighbours, which come in descending order.
        long[] hashes = IntStream.range(0, 400)
                .mapToLong(i -> ((i / 20 - 10L) << 50) + i % 20)
                .toArray();
        ArchiveList list = new ArchiveList(List.of(archive(1, hashes, 50)));
        long[] sought =
                IntStream.range(0, 800).mapToLong(i -> hashes[(799 - i) / 2]).toArray();

        assertThat(list.questions(ids(sought), new @Nullable Entry[800], 0).stream()
                        .map(Question::index))
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, 800).boxed().toList());
    }

    @Test
    void asksForNothingBelowTheFirstPageNorInWhatWasPurged() {
        long[] hashes = random.longs(100, 0, Long.MAX_VALUE).sorted().toArray();
        ArchiveList list = new ArchiveList(List.of(archive(1, hashes, 100), archive(2, hashes, 100)));
        long[] below = random.longs(200_000, Long.MIN_VALUE, 0).toArray();

        assertThat(list.questions(ids(below), new @Nullable Entry[below.length], 0))
                .isEmpty();
        assertThat(list.questions(ids(hashes), new @Nullable Entry[100], 0)).hasSize(200);
        assertThat(list.questions(ids(hashes), new @Nullable Entry[100], 1))
                .hasSize(100)
                .allMatch(each -> each.archive().lastVersion() == 2);
        assertThat(list.questions(new Ids(1), new @Nullable Entry[0], 0)).isEmpty();
    }
}

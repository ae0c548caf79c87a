package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which archives are merged, over four retentions, of which each has so many portions. */
class ArchiveNeighboursTest {

    private static ArchiveHead archive(long first, long last) {
        return new ArchiveHead(
                new JournalKey(1, 1),
                first,
                State.ACTIVE,
                0,
                new Span(first, last, first, last, first, last, first),
                last - first + 1,
                0);
    }

    /** The last column is about what the policy needs; ADR 21 names it. */
    @ParameterizedTest
    @CsvSource({"40, 3.2", "200, 5", "2000, 9.5"})
    void areFewAndRewriteFewMessages(int portions, double rewritten) {
        List<ArchiveHead> archives = new ArrayList<>();
        long written = 0;
        long span = portions / 4L - 1;
        for (long at = 0; at < portions * 4L; at++) {
            long before = at - portions;
            archives.removeIf(archive -> archive.span().lastAt() < before);
            archives.add(archive(at, at));
            written++;
            List<ArchiveHead> merged = ArchiveUpkeep.neighbours(archives, span);
            while (!merged.isEmpty()) {
                ArchiveHead one = archive(
                        merged.get(0).span().firstAt(),
                        merged.get(merged.size() - 1).span().lastAt());
                written += one.messages();
                int index = archives.indexOf(merged.get(0));
                archives.removeAll(List.copyOf(merged));
                archives.add(index, one);
                assertThat(one.span().lastAt() - one.span().firstAt()).isLessThanOrEqualTo(span);
                merged = ArchiveUpkeep.neighbours(archives, span);
            }
            assertThat(archives).hasSizeLessThanOrEqualTo(ArchiveUpkeep.MOST_ARCHIVES + 1);
        }
        assertThat(written / (portions * 4.0)).isLessThan(rewritten);
    }
}

package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What archives take, on PostgreSQL. */
class ArchiveSizeTest {

    /** With this many messages in an archive. More take less: the upper bits of their hashes are alike. */
    private static final int MESSAGES = 300_000;

    @Test
    void isAtMost24BytesOfTheDatabaseAnd3OfMemoryForAMessage() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.POSTGRESQL)) {
            for (String table : List.of("archive", "archive_page", "archive_filter")) {
                journal.jdbc.execute("truncate table " + ArchiveFixture.PREFIX + table);
            }
            for (int i = 0; i < 54; i++) {
                journal.fill(100, 500);
            }

            journal.upkeep(MESSAGES).run(() -> true);

            List<ArchiveHead> archives = journal.archives();
            long messages = archives.stream().mapToLong(ArchiveHead::messages).sum();
            assertThat(messages).isGreaterThanOrEqualTo(2_000_000);
            long memory = journal.read((connection, journals) -> {
                long[] bytes = new long[1];
                for (ArchiveHead archive : archives) {
                    journals.archives().filters(connection, archive, filter -> bytes[0] += filter.bytes());
                }
                return bytes[0];
            });
            double stored = (double) bytes(journal, "pg_total_relation_size") / messages;
            System.out.printf(
                    "Archives: %.2f bytes of the database and %.2f bytes of memory for each of %,d messages%n",
                    stored, (double) memory / messages, messages);
            assertThat(stored).isLessThanOrEqualTo(24);
            assertThat((double) memory / messages).isLessThanOrEqualTo(3);
            assertThat(journal.jdbc.queryForObject(
                            "select pg_relation_size(reltoastrelid) from pg_class where oid = 'archives_archive_page'::regclass",
                            Long.class))
                    .as("pages are in line")
                    .isZero();
        }
    }

    private static long bytes(ArchiveFixture journal, String function) {
        Long bytes = journal.jdbc.queryForObject(
                "select " + function + "('archives_archive') + " + function + "('archives_archive_page') + " + function
                        + "('archives_archive_filter')",
                Long.class);
        return bytes == null ? 0 : bytes;
    }
}

package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import io.idempotency.jdbc.ArchiveSource.Contents;
import io.idempotency.jdbc.ArchiveSource.Message;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Writes the rows of an archive: pages, and a filter behind the pages that it is for. It keeps the hashes of the messages of one filter in memory. Not thread-safe.
 */
final class ArchiveWriter {

    private final ArchiveChanges changes;
    private final ArchiveHead head;
    private final Span span;
    private final ArchivePaging paging;
    private final List<ArchivePage> pages = new ArrayList<>();
    /** The most messages of a filter. They are spread evenly, because a small filter takes more for each. */
    private final int most;

    private long[] hashes;
    private int size;
    private final List<Long> pageHashes = new ArrayList<>();
    private final BitSet quarantinedPages = new BitSet();
    private long messages;
    private long quarantined;
    private long bytes;

    ArchiveWriter(ArchiveChanges changes, ArchiveHead head, Contents contents) {
        this.changes = changes;
        this.head = head;
        this.span = contents.span();
        this.paging = new ArchivePaging(span.offsetBytes(), pages::add);
        long filters = 1 + contents.messages() / ArchiveFilter.MOST_MESSAGES;
        this.most = (int) (contents.messages() / filters) + 1;
        this.hashes = new long[most];
    }

    /** Adds the next message, in the order of the hashes. */
    void add(Message message) {
        paging.add(
                message.hash(),
                message.low(),
                message.offset() - span.firstOffset(),
                span.packed(message.at()),
                message.kind());
        messages++;
        quarantined += message.kind() == Kind.QUARANTINED ? 1 : 0;
    }

    /** Inserts the pages that are full, and the filters that are; at the end also the last ones. */
    void write(Connection connection, boolean isEnd) throws SQLException {
        if (isEnd) {
            paging.end();
        }
        changes.insert(connection, head, pages);
        for (ArchivePage page : pages) {
            if (size + page.size() > most) {
                writeFilter(connection);
            }
            collect(page);
        }
        pages.clear();
        if (isEnd) {
            writeFilter(connection);
        }
    }

    private void collect(ArchivePage page) {
        if (size + page.size() > hashes.length) {
            hashes = Arrays.copyOf(hashes, size + page.size());
        }
        for (int i = 0; i < page.size(); i++) {
            hashes[size++] = page.hash(i);
        }
        quarantinedPages.set(pageHashes.size(), page.hasQuarantined());
        pageHashes.add(page.firstHash());
        bytes += page.bytes();
    }

    private void writeFilter(Connection connection) throws SQLException {
        if (size == 0) {
            return;
        }
        ArchiveFilter filter = new ArchiveFilter(
                pageHashes.stream().mapToLong(Long::longValue).toArray(),
                Arrays.copyOf(quarantinedPages.toByteArray(), (pageHashes.size() + Byte.SIZE - 1) / Byte.SIZE),
                BinaryFuseFilter.of(Arrays.copyOf(hashes, size)));
        changes.insert(connection, head, filter);
        bytes += filter.bytes();
        pageHashes.clear();
        quarantinedPages.clear();
        size = 0;
    }

    /** Returns the header of what was written. */
    ArchiveHead written() {
        return new ArchiveHead(head.key(), head.number(), State.ACTIVE, head.seed(), span, messages, quarantined);
    }

    /** Returns the bytes of all columns that were written. */
    long bytes() {
        return bytes;
    }
}

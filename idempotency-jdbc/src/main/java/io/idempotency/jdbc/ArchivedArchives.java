package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Neighbouring archives of a journal as the source of one that replaces them. They have the same order, so a few pages of each are in memory. */
final class ArchivedArchives implements ArchiveSource {

    private static final int PAGES_AT_A_TIME = 16;

    private final Journals journals;
    private final List<ArchiveHead> heads;
    private final List<Cursor> cursors = new ArrayList<>();

    /**
     * Names archives.
     *
     * @param heads oldest first
     */
    ArchivedArchives(Journals journals, List<ArchiveHead> heads) {
        this.journals = journals;
        this.heads = heads;
    }

    /** {@inheritDoc} An active archive does not change, but for its time, if that lay in the future. */
    @Override
    public boolean isThere(Connection connection, JournalHead head) throws SQLException {
        List<Long> active = journals.archives().heads(connection, head.key(), State.ACTIVE).stream()
                .map(ArchiveHead::number)
                .toList();
        return active.containsAll(heads.stream().map(ArchiveHead::number).toList());
    }

    @Override
    public Contents open(Connection connection, ArchiveHash hash) throws SQLException {
        for (ArchiveHead head : heads) {
            Cursor cursor = new Cursor(head);
            cursor.advance(connection);
            cursors.add(cursor);
        }
        return new Contents(
                span(), heads.stream().mapToLong(ArchiveHead::messages).sum());
    }

    private Span span() {
        Span oldest = heads.get(0).span();
        Span newest = heads.get(heads.size() - 1).span();
        List<Span> spans = heads.stream().map(ArchiveHead::span).toList();
        return new Span(
                oldest.firstVersion(),
                newest.lastVersion(),
                oldest.firstAt(),
                newest.lastAt(),
                spans.stream().mapToLong(Span::firstOffset).min().orElse(0),
                spans.stream().mapToLong(Span::lastOffset).max().orElse(0),
                spans.stream()
                        .mapToLong(Span::frontOffset)
                        .filter(front -> front >= 0)
                        .findFirst()
                        .orElse(-1));
    }

    @Override
    public @Nullable Message next(Connection connection) throws SQLException {
        Message newest = null;
        for (Cursor cursor : cursors) {
            Message message = cursor.message;
            if (message != null && (newest == null || compare(message, newest) <= 0)) {
                newest = message;
            }
        }
        if (newest != null) {
            for (Cursor cursor : cursors) {
                if (cursor.message != null && compare(cursor.message, newest) == 0) {
                    cursor.advance(connection);
                }
            }
        }
        return newest;
    }

    private static int compare(Message one, Message other) {
        return one.hash() != other.hash()
                ? Long.compare(one.hash(), other.hash())
                : Long.compare(one.low(), other.low());
    }

    @Override
    public void replace(Connection connection, JournalHead head) throws SQLException {
        for (ArchiveHead replaced : heads) {
            new ArchiveChanges(journals.tables).change(connection, replaced, State.ACTIVE, State.DEAD);
        }
    }

    /** The place in one archive. */
    private final class Cursor {

        private final ArchiveHead head;
        private final Deque<ArchivePage> pages = new ArrayDeque<>();
        private long nextPage = Long.MIN_VALUE;
        private boolean isLast;
        private int index = -1;
        private @Nullable Message message;

        Cursor(ArchiveHead head) {
            this.head = head;
        }

        void advance(Connection connection) throws SQLException {
            index++;
            if (!pages.isEmpty() && index == pages.element().size()) {
                pages.remove();
                index = 0;
            }
            if (pages.isEmpty() && !isLast) {
                read(connection);
            }
            ArchivePage page = pages.peek();
            message = page == null
                    ? null
                    : new Message(
                            page.hash(index),
                            page.low(index),
                            head.offset(page, index),
                            head.at(page, index),
                            page.kind(index));
        }

        private void read(Connection connection) throws SQLException {
            pages.addAll(journals.archives().pages(connection, head, nextPage, PAGES_AT_A_TIME));
            isLast = pages.size() < PAGES_AT_A_TIME
                    || Objects.requireNonNull(pages.peekLast()).firstHash() == Long.MAX_VALUE;
            nextPage = isLast ? Long.MAX_VALUE : pages.getLast().firstHash() + 1;
        }
    }
}

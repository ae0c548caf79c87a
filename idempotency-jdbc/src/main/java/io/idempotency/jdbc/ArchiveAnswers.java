package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveList.Question;
import io.idempotency.jdbc.ArchiveRows.PageKey;
import io.idempotency.jdbc.JournalGeneration.Entry;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Answers what the filters of archives leave open, by the pages: in one statement for all partitions of a claim, up to a thousand pages. Confined to a claim. */
final class ArchiveAnswers {

    /** A filter that says maybe is wrong once in 65,536 times, so there are many only if many messages come again. */
    private static final int PAGES_AT_A_TIME = 1000;

    /** An open question, and where its answer goes. */
    private record Open(JournalKnowledge known, Question question) {}

    private final Map<PageKey, List<Open>> open = new HashMap<>();

    ArchiveAnswers(List<JournalKnowledge> all) {
        for (JournalKnowledge known : all) {
            for (Question question : known.questions()) {
                ArchiveHead head = question.archive().head();
                open.computeIfAbsent(new PageKey(head.key(), head.number(), question.page()), page -> new ArrayList<>())
                        .add(new Open(known, question));
            }
        }
    }

    /** Looks up the open questions, and returns the journals that have other archives by now, or for this transaction. Their answers are not complete. */
    Set<JournalKey> find(Connection connection, ArchiveRows rows) throws SQLException {
        List<PageKey> pages = new ArrayList<>(open.keySet());
        for (int from = 0; from < pages.size(); from += PAGES_AT_A_TIME) {
            List<PageKey> some = pages.subList(from, Math.min(pages.size(), from + PAGES_AT_A_TIME));
            rows.activePages(connection, some, this::answer);
        }
        Set<JournalKey> changed = new LinkedHashSet<>();
        open.keySet().forEach(page -> changed.add(page.key()));
        return changed;
    }

    private void answer(PageKey key, ArchivePage page) {
        for (Open each : open.getOrDefault(key, List.of())) {
            Question question = each.question();
            ArchiveHead head = question.archive().head();
            int found = page.find(question.hash(), question.low());
            Entry newer = each.known().entries()[question.index()];
            if (found >= 0 && (newer == null || newer.version() < head.span().lastVersion())) {
                each.known().entries()[question.index()] = new Entry(
                        page.kind(found),
                        head.at(page, found),
                        head.offset(page, found),
                        head.span().lastVersion());
            }
        }
        open.remove(key);
    }
}

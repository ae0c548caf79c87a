package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalGeneration.Entry;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a window knows of ids, all of it at one moment.
 *
 * @param entries the newest entry of each id, or null if the window has none above the horizon
 * @param questions what the archives may have; until these are answered, nothing is decided
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record JournalKnowledge(
        JournalTip tip, long horizonOffset, @Nullable Entry[] entries, List<ArchiveList.Question> questions) {}

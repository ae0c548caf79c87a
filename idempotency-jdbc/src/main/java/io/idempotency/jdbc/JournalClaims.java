package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalDialect.Append;
import io.idempotency.jdbc.JournalDialect.Appended;
import io.idempotency.jdbc.JournalGeneration.Entry;
import io.idempotency.jdbc.JournalLookup.Sought;
import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Claims messages by journals, within the active transaction:
 *
 * <ol>
 *   <li>Decide in memory, by the windows and the appends of this transaction. Duplicates need nothing else. What an archive may have is looked up before, in one
 *       statement for all partitions: a filter never decides. If an archive is not there any more, its journal is caught up with, and the list of its archives read.
 *   <li>Append the new messages, in one statement for all partitions: all of them, or none if a journal has grown meanwhile.
 *   <li>If one has grown, the heads stay locked. Read the missing segments, decide again, append again. This append succeeds, because nobody else can
 *       append any more.
 *   <li>Before the commit: prove that this transaction is the one that claimed. After it: add the appends to the windows.
 * </ol>
 *
 * <p>The append notices a window that is behind, whatever the reason: another owner of the partition, or a commit whose answer was lost. A window that
 * is ahead, because the database lost commits, is dropped.
 */
final class JournalClaims implements ActiveTransaction.LastWord {

    private final StoreDatabase database;
    private final Connections connections;
    private final JournalWindows windows;
    private final JournalLookup lookup;

    JournalClaims(StoreDatabase database, Connections connections, JournalWindows windows) {
        this.database = database;
        this.connections = connections;
        this.windows = windows;
        this.lookup = new JournalLookup(database, windows);
    }

    List<Claim> claim(ActiveTransaction active, List<Delivery> deliveries) {
        try {
            return connections.onCurrent("claim messages", connection -> claim(connection, active, deliveries));
        } catch (RuntimeException | Error e) {
            active.spoil("a claim in it failed");
            throw e;
        }
    }

    private List<Claim> claim(Connection connection, ActiveTransaction active, List<Delivery> deliveries)
            throws SQLException {
        database.lookAtIsolation(connection);
        List<PartitionClaim> parts = windows.parts(connection, active, deliveries);
        decide(connection, parts, active);
        // The append compares the heads of the others.
        List<PartitionClaim> known =
                parts.stream().filter(part -> part.content() == null).toList();
        if (windows.areOld(known)) {
            catchUp(connection, active, known, heads(connection, known), false);
            decide(connection, known, active);
        }
        Map<JournalKey, Long> times = Map.of();
        if (!isNothingNew(parts)) {
            Appended appended = append(connection, active, parts);
            if (!appended.isDone()) {
                catchUp(connection, active, parts, appended.heads(), true);
                decide(connection, parts, active);
                appended = isNothingNew(parts) ? appended : append(connection, active, parts);
                if (!appended.isDone() && !isNothingNew(parts)) {
                    throw new TransientStoreException("A journal grew although it is locked; run the claim again");
                }
            }
            times = appended.times();
        }
        if (parts.stream().allMatch(PartitionClaim::isAllNew)) {
            return Claim.granted(deliveries);
        }
        Claim[] answers = new Claim[deliveries.size()];
        for (PartitionClaim part : parts) {
            part.answer(answers, times.getOrDefault(part.key(), windows.now()), windows.now());
        }
        return Arrays.asList(answers);
    }

    private void decide(Connection connection, List<PartitionClaim> parts, ActiveTransaction active)
            throws SQLException {
        List<JournalKnowledge> known = lookup.find(
                connection,
                active,
                parts.stream()
                        .map(part -> new Sought(part.window(), part.ids()))
                        .toList());
        for (int i = 0; i < parts.size(); i++) {
            PartitionClaim part = parts.get(i);
            part.decide(known.get(i), JournalTransaction.of(active).overlays().get(part.key()));
        }
    }

    private static boolean isNothingNew(List<PartitionClaim> parts) {
        return parts.stream().allMatch(part -> part.content() == null);
    }

    private List<JournalHead> heads(Connection connection, List<PartitionClaim> parts) throws SQLException {
        database.requireCommittedReads(connection);
        return database.journals(connection)
                .heads(
                        connection,
                        parts.stream().map(PartitionClaim::key).sorted().toList(),
                        false);
    }

    private Appended append(Connection connection, ActiveTransaction active, List<PartitionClaim> parts)
            throws SQLException {
        List<Append> appends = new ArrayList<>();
        Map<JournalKey, JournalWindow> appendedTo = new TreeMap<>();
        for (PartitionClaim part : parts) {
            Content content = part.content();
            if (content != null) {
                appends.add(append(part.key(), part.tip(), content));
                appendedTo.put(part.key(), part.window());
            }
        }
        return append(connection, active, appends, appendedTo);
    }

    private static Append append(JournalKey key, JournalTip behind, Content content) {
        return new Append(
                key,
                behind,
                new JournalTip(behind.version() + 1, ThreadLocalRandom.current().nextLong()),
                content);
    }

    private Appended append(
            Connection connection,
            ActiveTransaction active,
            List<Append> appends,
            Map<JournalKey, JournalWindow> appendedTo)
            throws SQLException {
        active.dependOn(this);
        appends.sort((one, other) -> one.key().compareTo(other.key()));
        Appended appended = database.journals(connection).append(connection, appends, active.evidence());
        windows.tellTime(appended.now());
        if (appended.isDone()) {
            for (Append append : appends) {
                JournalOverlay overlay =
                        JournalTransaction.of(active).overlays().get(append.key());
                if (overlay == null) {
                    overlay = new JournalOverlay(windowOf(appendedTo, append), append.behind());
                    JournalTransaction.of(active).overlays().put(append.key(), overlay);
                    active.afterCommit(overlay::committed);
                }
                overlay.add(append.content().at(append.next(), timeOf(appended, append)));
                windowOf(appendedTo, append).use().checked();
            }
            appended.heads().forEach(windows::raiseHorizon);
        }
        return appended;
    }

    private static JournalWindow windowOf(Map<JournalKey, JournalWindow> windows, Append append) {
        JournalWindow window = windows.get(append.key());
        if (window == null) {
            throw new IllegalStateException("No window of " + append.key());
        }
        return window;
    }

    private static long timeOf(Appended appended, Append append) {
        Long time = appended.times().get(append.key());
        if (time == null) {
            throw new IllegalStateException("No time of " + append.key());
        }
        return time;
    }

    /** Appends entries about messages, whatever the journal knows of them. */
    void append(ActiveTransaction active, JournalWindow window, Content content) {
        append(active, window, content, (newest, offset) -> true);
    }

    /** Decides by the newest entry of a message, if there is one, whether an entry about it may follow. */
    @FunctionalInterface
    interface Following {
        boolean isAfter(@Nullable Entry newest, long offset);
    }

    /** Appends those entries that may follow the newest ones. Locks the journal. Returns how many it appended. */
    int append(ActiveTransaction active, JournalWindow window, Content content, Following following) {
        return connections.onCurrent("append to a journal", connection -> {
            List<JournalHead> heads = database.journals(connection).heads(connection, List.of(window.key()), true);
            if (heads.isEmpty()) {
                throw lookup.gone(window);
            }
            lookup.catchUp(connection, active, window, heads.get(0), true);
            Content rest = rest(connection, active, window, content, following);
            if (rest.size() == 0) {
                return 0;
            }
            List<Append> appends =
                    new ArrayList<>(List.of(append(window.key(), heads.get(0).tip(), rest)));
            if (!append(connection, active, appends, Map.of(window.key(), window))
                    .isDone()) {
                throw lookup.gone(window);
            }
            return rest.size();
        });
    }

    /** Returns how many entries may follow. Changes and locks nothing. */
    int count(ActiveTransaction active, JournalWindow window, Content content, Following following) {
        return connections.onCurrent("read a journal", connection -> {
            for (JournalHead head : database.journals(connection).heads(connection, List.of(window.key()), false)) {
                lookup.catchUp(connection, active, window, head, false);
            }
            return rest(connection, active, window, content, following).size();
        });
    }

    private Content rest(
            Connection connection, ActiveTransaction active, JournalWindow window, Content content, Following following)
            throws SQLException {
        JournalOverlay overlay = JournalTransaction.of(active).overlays().get(window.key());
        Ids ids = new Ids(Math.max(1, content.size()));
        for (int i = 0; i < content.size(); i++) {
            ids.add(content.ids()[2 * i], content.ids()[2 * i + 1]);
        }
        @Nullable
        Entry[] known = lookup.find(connection, active, List.of(new Sought(window, ids)))
                .get(0)
                .entries();
        long[] restIds = new long[content.ids().length];
        long[] offsets = new long[content.size()];
        int size = 0;
        for (int i = 0; i < content.size(); i++) {
            Entry own = overlay == null ? null : overlay.find(ids.high(i), ids.low(i));
            if (following.isAfter(own == null ? known[i] : own, content.offsets()[i])) {
                restIds[2 * size] = ids.high(i);
                restIds[2 * size + 1] = ids.low(i);
                offsets[size++] = content.offsets()[i];
            }
        }
        return new Content(content.kind(), Arrays.copyOf(restIds, 2 * size), Arrays.copyOf(offsets, size));
    }

    /** Brings the windows up to the heads. */
    private void catchUp(
            Connection connection,
            ActiveTransaction active,
            List<PartitionClaim> parts,
            List<JournalHead> heads,
            boolean isLocked)
            throws SQLException {
        Map<JournalKey, JournalHead> byKey = new TreeMap<>();
        heads.forEach(head -> byKey.put(head.key(), head));
        for (PartitionClaim part : parts) {
            JournalHead head = byKey.get(part.key());
            if (head != null) {
                lookup.catchUp(connection, active, part.window(), head, isLocked);
            } else if (part.content() != null) {
                throw lookup.gone(part.window());
            }
        }
    }

    @Override
    public void say(ActiveTransaction active) {
        connections.onCurrent("prove the claim", connection -> {
            database.storeNames(connection, active.proposedNames());
            database.journals(connection).prove(connection, active);
            return true;
        });
    }

    /** {@inheritDoc} An unproved segment counts as absent, so nothing has to be released. */
    @Override
    public boolean takeBack(ActiveTransaction active) {
        return !JournalTransaction.of(active).overlays().isEmpty()
                && connections.afterwards(
                        "look for claims that were committed early",
                        connection -> database.journals(connection).unproved(connection, active) > 0);
    }
}

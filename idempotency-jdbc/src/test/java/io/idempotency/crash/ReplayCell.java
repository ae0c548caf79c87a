package io.idempotency.crash;

import static io.idempotency.ConsistencyLevel.AT_LEAST_ONCE;
import static io.idempotency.ConsistencyLevel.STRONG;

import io.idempotency.ConsistencyLevel;
import io.idempotency.store.Position;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A replay during which its node halts: the database, its level and its store, and the point. */
record ReplayCell(Where where, ConsistencyLevel level, Cell.Kind store, ReplayPoint point) {

    /** The databases that replays are seen on. */
    enum Where {
        POSTGRESQL,
        MARIADB
    }

    /** The quarantined messages, in the order of their partition. */
    static final List<String> MESSAGES = List.of("r0", "r1", "r2");

    /** The message at which the node halts. */
    static final String TARGET = "r1";

    /** Messages that come from Kafka behind them while they are replayed. */
    static final List<String> NEW_MESSAGES = List.of("n0", "n1");

    /** The cells of a point. One process meets all of them. */
    static List<ReplayCell> at(ReplayPoint point) {
        return Stream.of(Where.values())
                .flatMap(where -> Stream.of(
                        new ReplayCell(where, STRONG, Cell.Kind.TABLE, point),
                        new ReplayCell(where, STRONG, Cell.Kind.JOURNAL, point),
                        new ReplayCell(where, AT_LEAST_ONCE, Cell.Kind.TABLE, point)))
                .toList();
    }

    /** Returns the quarantined messages with their positions. */
    List<ReplayNode.Message> messages() {
        return messages(MESSAGES, 0);
    }

    /** Returns the new messages with their positions. */
    List<ReplayNode.Message> newMessages() {
        return messages(NEW_MESSAGES, MESSAGES.size());
    }

    private List<ReplayNode.Message> messages(List<String> ids, int firstOffset) {
        return IntStream.range(0, ids.size())
                .mapToObj(i -> new ReplayNode.Message(ids.get(i), new Position(id(), 0, firstOffset + i)))
                .toList();
    }

    /** The name of its consumer, its topic and its replay. */
    String id() {
        return ("replay-" + level + "-" + point + "-" + store + "-" + Cell.RUN)
                .toLowerCase(Locale.ROOT)
                .replace('_', '-');
    }

    @Override
    public String toString() {
        return level + " with the " + store.name().toLowerCase(Locale.ROOT) + " store on " + where + ", "
                + point.title();
    }

    /** What has to be seen: how often the handler is called in all lives, and how often the effect of the message that was hit exists. */
    Seen.Fate promised() {
        boolean isStrong = level == STRONG;
        return switch (point) {
            case AFTER_TAKE, AFTER_UNQUARANTINE, AFTER_CLAIM, AFTER_COMMIT -> new Seen.Fate(1, 1, false);
            case IN_HANDLER -> new Seen.Fate(2, 1, false);
            case AFTER_EFFECT, SAVING_FAILURE -> new Seen.Fate(2, isStrong ? 1 : 2, false);
            case AFTER_DELETE, BEFORE_COMMIT -> isStrong ? new Seen.Fate(2, 1, false) : new Seen.Fate(1, 1, false);
        };
    }

    /** The promise in words. */
    String words() {
        boolean isStrong = level == STRONG;
        return switch (point) {
            case AFTER_TAKE -> "still in quarantine, handled once";
            case AFTER_UNQUARANTINE -> "rolled back, handled once";
            case AFTER_CLAIM -> isStrong ? "rolled back, handled once" : "handled once, when the lease ends";
            case IN_HANDLER, AFTER_EFFECT ->
                isStrong ? "rolled back, handled again" : "handled again when the lease ends";
            case AFTER_DELETE, BEFORE_COMMIT ->
                isStrong ? "rolled back, handled again" : "processed already: only the entry is deleted";
            case AFTER_COMMIT -> "handled once";
            case SAVING_FAILURE ->
                isStrong ? "the failure is not saved, handled again" : "not saved, handled again when the lease ends";
        };
    }
}

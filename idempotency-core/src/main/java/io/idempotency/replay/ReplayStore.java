package io.idempotency.replay;

import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Keeps replays, and which quarantined messages belong to them. Each method joins the active transaction, or uses its own, unless it says
 * otherwise. Thread-safe.
 */
public interface ReplayStore {

    /** Returns what a replay would do. Changes nothing. */
    ReplayPlan plan(ReplayRequest request);

    /**
     * Begins a replay: the chosen messages belong to it from now on, messages that fail later do not. Messages of another running replay stay there; a
     * limit counts the others. If a replay of the same selection has this id already, it is returned unchanged.
     *
     * @throws io.idempotency.store.ConflictException if no message is chosen, each of them belongs to another running replay, which the text names, or
     *     the id is that of a replay of another selection
     * @throws io.idempotency.store.TransientStoreException if another transaction asks for the same messages or the same id; run it again
     */
    Replay request(ReplayRequest request);

    /** Returns the replay of this id. */
    Optional<Replay> find(String id);

    /** Lists up to {@code limit} replays of a consumer, the newest first. */
    List<Replay> list(String consumer, int limit);

    /** Pauses a running replay. Returns whether it was running. */
    boolean pause(String id);

    /** Resumes a paused replay. Returns whether it was paused. */
    boolean resume(String id);

    /** Ends a replay that is running or paused: its messages stay in quarantine and belong to no replay. Returns whether it went on until now. */
    boolean stop(String id, String why);

    /**
     * Lists the running replays of a consumer, the oldest first, for the nodes that work on them. It completes replays that somebody has written into the
     * store by other means, and stops those with mistakes.
     */
    List<Replay> running(String consumer);

    /**
     * A partition of a topic.
     *
     * @param stream the topic; empty for messages without a position
     * @param number the partition; -1 for messages without a position
     */
    record Partition(String stream, int number) {}

    /** Lists the partitions in which a replay has messages left, by topic and partition. */
    List<Partition> partitions(String id);

    /**
     * Takes the turn at a partition for this length, so that one node at a time works on it, or prolongs a turn that this node has. The turn ends by the
     * store's clock, so another node follows one that dies. Uses a transaction of its own.
     *
     * @param node the name of the node, different for each process
     * @return whether the turn is this node's
     * @throws io.idempotency.store.IdempotencyException if a transaction is active
     */
    boolean takeTurn(String consumer, Partition partition, String node, Duration length);

    /** Gives a turn back, if this node has it. Uses a transaction of its own. */
    void endTurn(String consumer, Partition partition, String node);

    /** One message of a replay. */
    record Item(MessageId id, long generation, Position position) {}

    /** Lists up to {@code limit} messages that a running replay has left in a partition, in order of their offsets. A message leaves its replay when it is
     * deleted or saved again. */
    List<Item> next(String id, Partition partition, int limit);

    /**
     * Counts the result of a message. With it, {@code stopAfter} equal failures in a row stop the replay. Part of the transaction that settles or saves the
     * message, so that the counts are exact. Other nodes that count wait for that transaction, so call it last. A processed message ends a row of failures;
     * a duplicate does not.
     *
     * @param failure of a failed or unreadable message
     */
    void count(String id, ReplayResult result, Optional<QuarantineFailure> failure);

    /** Ends a running replay that has no messages left. Returns whether it has ended, now or earlier. */
    boolean endIfDone(String id);
}

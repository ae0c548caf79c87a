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
     * Begins a replay: the chosen messages belong to it from now on, messages that fail later do not. If a replay with this id exists already, it is
     * returned unchanged.
     *
     * @throws io.idempotency.store.IdempotencyException if no message is chosen, or each of them belongs to another running replay, which the text names
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

    /** Lists the running replays of a consumer, the oldest first, for the nodes that work on them. */
    List<Replay> running(String consumer);

    /**
     * A partition of a topic.
     *
     * @param stream the topic; empty for messages without a position
     * @param number the partition; -1 for messages without a position
     */
    record Partition(String stream, int number) {}

    /** Lists the partitions in which a replay has messages left. */
    List<Partition> partitions(String id);

    /**
     * Takes the turn at a partition for this length, so that one node at a time works on it, or keeps a turn that this node has.
     *
     * @param node the name of the node, different for each process
     * @return whether the turn is this node's
     */
    boolean takeTurn(String consumer, Partition partition, String node, Duration length);

    /** Gives a turn back. */
    void endTurn(String consumer, Partition partition, String node);

    /** One message of a replay. */
    record Item(MessageId id, long generation, Position position) {}

    /** Lists up to {@code limit} messages that a replay has left in a partition, in order of their offsets. */
    List<Item> next(String id, Partition partition, int limit);

    /**
     * Counts the result of a message. With it, {@code stopAfter} equal failures in a row stop the replay. Part of the transaction that settles or saves the
     * message, so that the counts are exact.
     *
     * @param failure of a failed message
     */
    void count(String id, ReplayResult result, Optional<QuarantineFailure> failure);

    /** Ends a running replay that has no messages left. Returns whether it is ended. */
    boolean endIfDone(String id);
}

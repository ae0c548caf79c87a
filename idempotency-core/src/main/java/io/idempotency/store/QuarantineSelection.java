package io.idempotency.store;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Chooses quarantined messages of one consumer. All conditions that are given hold together; without any, all messages of the consumer are chosen.
 * Immutable.
 *
 * <pre>
 * QuarantineSelection.of("billing").failureType("java.sql.SQLException").stream("orders").limit(1)
 * </pre>
 */
public final class QuarantineSelection {

    private final String consumer;
    private List<String> ids = List.of();
    private Optional<String> failureType = Optional.empty();
    private Optional<String> failureGroup = Optional.empty();
    private Optional<Instant> from = Optional.empty();
    private Optional<Instant> to = Optional.empty();
    private Optional<String> stream = Optional.empty();
    private Optional<Integer> partition = Optional.empty();
    private long firstOffset;
    private long lastOffset = Long.MAX_VALUE;
    private int limit = Integer.MAX_VALUE;

    private QuarantineSelection(String consumer) {
        this.consumer = consumer;
    }

    private QuarantineSelection(QuarantineSelection other) {
        this(other.consumer);
        ids = other.ids;
        failureType = other.failureType;
        failureGroup = other.failureGroup;
        from = other.from;
        to = other.to;
        stream = other.stream;
        partition = other.partition;
        firstOffset = other.firstOffset;
        lastOffset = other.lastOffset;
        limit = other.limit;
    }

    /** Returns the choice of all messages of the consumer. */
    public static QuarantineSelection of(String consumer) {
        return new QuarantineSelection(consumer);
    }

    /**
     * Chooses among these ids only.
     *
     * @throws IdempotencyException if there is none
     */
    public QuarantineSelection ids(Collection<String> some) {
        require(!some.isEmpty(), "A choice by ids needs at least one id");
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.ids = List.copyOf(some);
        return copy;
    }

    /** Chooses messages whose exception has this class name. */
    public QuarantineSelection failureType(String className) {
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.failureType = Optional.of(className);
        return copy;
    }

    /** Chooses messages with this {@link QuarantineFailure#group()}. */
    public QuarantineSelection failureGroup(String group) {
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.failureGroup = Optional.of(group);
        return copy;
    }

    /** Chooses messages that were quarantined first at or after this moment. */
    public QuarantineSelection from(Instant moment) {
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.from = Optional.of(moment);
        return copy;
    }

    /** Chooses messages that were quarantined first before this moment. */
    public QuarantineSelection to(Instant moment) {
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.to = Optional.of(moment);
        return copy;
    }

    /** Chooses messages of this topic. */
    public QuarantineSelection stream(String name) {
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.stream = Optional.of(name);
        return copy;
    }

    /**
     * Chooses messages of this partition of the topic.
     *
     * @throws IdempotencyException if no topic was chosen before
     */
    public QuarantineSelection partition(int number) {
        require(stream.isPresent(), "A choice by partition needs a topic");
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.partition = Optional.of(number);
        return copy;
    }

    /**
     * Chooses messages from the first to the last offset, both included.
     *
     * @throws IdempotencyException if no partition was chosen before
     */
    public QuarantineSelection offsets(long first, long last) {
        require(partition.isPresent(), "A choice by offset needs a topic and a partition");
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.firstOffset = first;
        copy.lastOffset = last;
        return copy;
    }

    /**
     * Chooses at most so many messages: the first ones in the order of topic, partition and offset.
     *
     * @throws IdempotencyException if it is not positive
     */
    public QuarantineSelection limit(int most) {
        require(most > 0, "A limit must be positive, not " + most);
        QuarantineSelection copy = new QuarantineSelection(this);
        copy.limit = most;
        return copy;
    }

    /** Returns the name of the consumer. */
    public String consumer() {
        return consumer;
    }

    /** Returns the ids among which is chosen; empty for all. */
    public List<String> ids() {
        return ids;
    }

    /** Returns the class name of the exception. */
    public Optional<String> failureType() {
        return failureType;
    }

    /** Returns the group of the failure. */
    public Optional<String> failureGroup() {
        return failureGroup;
    }

    /** Returns the first moment. */
    public Optional<Instant> from() {
        return from;
    }

    /** Returns the moment that is too late. */
    public Optional<Instant> to() {
        return to;
    }

    /** Returns the topic. */
    public Optional<String> stream() {
        return stream;
    }

    /** Returns the partition. */
    public Optional<Integer> partition() {
        return partition;
    }

    /** Returns the first offset; 0 for all. */
    public long firstOffset() {
        return firstOffset;
    }

    /** Returns the last offset; {@link Long#MAX_VALUE} for all. */
    public long lastOffset() {
        return lastOffset;
    }

    /** Returns the most messages to choose; {@link Integer#MAX_VALUE} for all. */
    public int limit() {
        return limit;
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IdempotencyException(otherwise);
        }
    }

    private List<Object> conditions() {
        return List.of(
                consumer, ids, failureType, failureGroup, from, to, stream, partition, firstOffset, lastOffset, limit);
    }

    /** Returns whether the other one has the same conditions. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuarantineSelection selection && conditions().equals(selection.conditions());
    }

    @Override
    public int hashCode() {
        return conditions().hashCode();
    }

    /** Returns the choice in words, for logs and the audit. */
    @Override
    public String toString() {
        List<String> words = new ArrayList<>();
        words.add("messages of " + Printable.of(consumer));
        if (ids.size() == 1) {
            words.add("id " + Printable.of(ids.get(0)));
        } else if (!ids.isEmpty()) {
            words.add(ids.size() + " ids from " + Printable.of(ids.get(0)) + " (hash "
                    + Integer.toHexString(ids.hashCode()) + ")");
        }
        failureType.ifPresent(type -> words.add("failure " + Printable.of(type)));
        failureGroup.ifPresent(group -> words.add("failure group " + Printable.of(group)));
        from.ifPresent(moment -> words.add("from " + moment));
        to.ifPresent(moment -> words.add("before " + moment));
        stream.ifPresent(name -> words.add("topic " + Printable.of(name)));
        partition.ifPresent(number -> words.add("partition " + number));
        if (firstOffset > 0 || lastOffset < Long.MAX_VALUE) {
            words.add("offsets " + firstOffset + " to " + (lastOffset < Long.MAX_VALUE ? lastOffset : "the end"));
        }
        if (limit < Integer.MAX_VALUE) {
            words.add("at most " + limit);
        }
        return String.join(", ", words);
    }
}

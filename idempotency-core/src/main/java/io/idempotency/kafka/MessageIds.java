package io.idempotency.kafka;

import io.idempotency.MessageIdExtractor;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.UnreadableMessageIdException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Finds the message id of a Kafka record in one place, or in the first of several: {@code
 * header("message-id").orElse(value(Order::id))}. Immutable.
 *
 * <p>The id of a header is taken as it is. The id of every other place carries the name of its kind, such as {@code ~key:}, and a
 * header id that begins with {@code ~} gets another {@code ~} in front; so ids of two kinds never meet.
 *
 * <p>One rule for all places: an id is text (any {@code CharSequence}), bytes that are UTF-8, a {@code UUID} or a whole number ({@code Long},
 * {@code Integer}, {@code Short}, {@code Byte}, {@code BigInteger}). Everything else is refused: the text of an array or object may differ
 * at each delivery, and two numbers with a fraction or an exponent may share one text.
 *
 * <p>If an id is missing or blank, the next place is tried. If no place has one, or a place holds something that cannot be an id,
 * {@link #messageId} throws and names topic, partition, offset and the places looked at; it never returns empty. The consumer checks that the text
 * can be an id.
 *
 * @param <V> the values it can read; {@code Object} where it does not read them
 */
public final class MessageIds<V> implements MessageIdExtractor<ConsumerRecord<?, ? extends V>> {

    /** The header that carries the message id by default. */
    public static final String HEADER = "message-id";

    private final List<IdSource<? super V>> sources;

    private MessageIds(List<IdSource<? super V>> sources) {
        this.sources = List.copyOf(sources);
    }

    /** Returns the default: the header {@value #HEADER}, then {@link #cloudEvents()}. */
    public static MessageIds<Object> defaults() {
        return header(HEADER).orElse(cloudEvents());
    }

    /**
     * Reads the first of these headers that is present and not blank, as UTF-8. Of several headers with one name, the last that is not
     * blank counts. A name that differs only in case, such as {@code Message-Id}, counts if no header has the exact name.
     */
    public static MessageIds<Object> header(String... names) {
        if (names.length == 0) {
            throw new IdempotencyException("At least one header name is needed to read a message id from a header");
        }
        return new MessageIds<>(List.of(new HeaderIds(List.of(names))));
    }

    /** Reads {@code ce_source} and {@code ce_id} together: CloudEvents ids are unique per source only. */
    public static MessageIds<Object> cloudEvents() {
        return new MessageIds<>(List.of(HeaderIds::cloudEvent));
    }

    /**
     * Takes the record key. Use it only if no two messages share a key: the second event of an aggregate has the same key and would be
     * skipped.
     */
    public static MessageIds<Object> key() {
        return new MessageIds<>(List.of(ValueIds::ofKey));
    }

    /** Takes the result of the function on the value; null, a blank string and a tombstone count as missing. */
    public static <V> MessageIds<V> value(Function<? super V, ? extends @Nullable Object> id) {
        return new MessageIds<V>(List.of(new ValueIds<V>(id)));
    }

    /** Takes the result of the function on the record; null and a blank string count as missing. */
    public static <V> MessageIds<V> record(
            Function<? super ConsumerRecord<?, ? extends V>, ? extends @Nullable Object> id) {
        return new MessageIds<V>(List.of((record, looked) -> ValueIds.ofRecord(id, record, looked)));
    }

    /** Gives every delivery an id of its own, so that no duplicate is recognised: for records without ids that must be handled all the same. */
    public static MessageIds<Object> unrecognised() {
        return new MessageIds<>(
                List.of((record, looked) -> Optional.of(HeaderIds.KIND + "random:" + UUID.randomUUID())));
    }

    /**
     * Takes the position of the record: topic, topic id, partition and offset. Timestamp and leader epoch are part of it, because another record
     * may get the same offset after the log was truncated. It recognises redeliveries only, never a message that was sent twice.
     *
     * @param topicId returns the id of a topic, so that a topic that was deleted and created again brings new ids; see
     *     {@link TopicIds}
     */
    public static MessageIds<Object> coordinates(Function<String, String> topicId) {
        return new MessageIds<>(List.of(new Coordinates(topicId)));
    }

    /**
     * Takes the position of the record, like {@link #coordinates(Function)}; a record of a retry or dead-letter topic of spring-kafka has the
     * position of the original. The leader epoch is not part of it, because spring-kafka does not forward it: of two records at one position with
     * one timestamp, the later one counts as a copy of the earlier.
     *
     * @param isRetryTopic tells which topics are retry or dead-letter topics. Origin headers on records of other topics are not trusted, because
     *     anybody may have written them. They are removed, because spring-kafka would forward them
     */
    public static MessageIds<Object> coordinates(Function<String, String> topicId, Predicate<String> isRetryTopic) {
        return new MessageIds<>(List.of(new ForwardedCoordinates(new Coordinates(topicId), isRetryTopic)));
    }

    /** Returns a finder that looks in the next place if there is no id in this one. */
    public <W extends V> MessageIds<W> orElse(MessageIds<? super W> next) {
        List<IdSource<? super W>> joined = new ArrayList<>(sources);
        joined.addAll(next.sources);
        return new MessageIds<>(joined);
    }

    /**
     * Returns the id.
     *
     * @throws InvalidMessageIdException if there is none, or something that cannot be one
     */
    @Override
    public Optional<String> messageId(ConsumerRecord<?, ? extends V> record) {
        List<String> looked = new ArrayList<>();
        try {
            for (IdSource<? super V> source : sources) {
                Optional<String> id = source.find(record, looked);
                if (id.isPresent()) {
                    return id;
                }
            }
        } catch (IdSource.UnusableId unusable) {
            String what = "The record " + KafkaRecords.position(record) + " has no usable message id: "
                    + unusable.getMessage();
            throw unusable.isUnread()
                    ? new UnreadableMessageIdException(what, unusable)
                    : new InvalidMessageIdException(what, unusable);
        }
        throw new InvalidMessageIdException(
                "The record " + KafkaRecords.position(record) + " has no message id: " + String.join(", ", looked)
                        + ". Let the producer send one, as MessageIdInterceptor does, or name its place by messageId");
    }
}

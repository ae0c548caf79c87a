package io.idempotency.outbox;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import io.idempotency.HandledMessages;
import io.idempotency.kafka.DerivedIds;
import io.idempotency.kafka.MessageIds;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Sends records if the active transaction commits, and only then. {@link #send} stores a record in the transaction; an {@link OutboxRelay}, in this
 * process or in another one, sends it to Kafka after the commit. Records with equal keys are sent in the order in which they were stored.
 *
 * <p>A relay may send a record twice, when it dies in between. So each record has a message id in a header, by which the receiver skips the copy. In the
 * transaction of a claim, the id of an output is {@linkplain DerivedIds derived} from the consumer, the id of the handled message and the number of the
 * output. If the handler runs again, its outputs get the same ids. In every other transaction, and in a batch handler, an id is a UUID of version 7, drawn
 * when the record is stored. For an output of a batch, {@link #send(MessageId, ProducerRecord)} names the message that it comes from.
 *
 * <p>Thread-safe; a transaction belongs to its thread.
 */
public final class Outbox<K extends @Nullable Object, V extends @Nullable Object> {

    private static final String CLOUD_EVENT = "ce_id";

    private final OutboxStore store;
    private final Serializer<K> keys;
    private final Serializer<V> values;
    private final String header;
    private final Runnable afterCommit;
    private final NoArgGenerator ids = Generators.timeBasedEpochGenerator();

    private Outbox(OutboxStore store, Serializer<K> keys, Serializer<V> values, String header, Runnable afterCommit) {
        this.store = store;
        this.keys = keys;
        this.values = values;
        this.header = header;
        this.afterCommit = afterCommit;
    }

    /** Returns an outbox in a store. Keys and values are serialized when they are stored, so an error fails the handler. */
    public static <K extends @Nullable Object, V extends @Nullable Object> Outbox<K, V> of(
            OutboxStore store, Serializer<K> keys, Serializer<V> values) {
        return new Outbox<>(store, keys, values, MessageIds.HEADER, store::announce);
    }

    /** Returns an outbox that puts ids into this header; by default {@value MessageIds#HEADER}. */
    public Outbox<K, V> header(String name) {
        return new Outbox<>(store, keys, values, name, afterCommit);
    }

    /**
     * Returns an outbox that runs the action after each commit, such as {@link OutboxRelay#wake} of a relay in this process. Without it, the outbox {@linkplain
     * OutboxStore#announce announces} its outputs to the relays of other processes.
     */
    public Outbox<K, V> waking(Runnable relay) {
        return new Outbox<>(store, keys, values, header, relay);
    }

    /** Stores a record for the topic, as {@link #send(ProducerRecord)} does. */
    public String send(String topic, K key, V value) {
        return send(new ProducerRecord<>(topic, key, value));
    }

    /**
     * Stores a record in the active transaction; without one, in a transaction of its own. One round trip.
     *
     * @param record if its header has an id already, or {@code ce_id}, the id stays; but the id of a handled message, which its sender copied, is replaced
     * @return the message id of the record
     * @throws IdempotencyException if the active transaction is on other data than the outbox, or the record cannot be stored
     */
    public String send(ProducerRecord<K, V> record) {
        return send(HandledMessages.onThread().flatMap(HandledMessages::single).orElse(null), record);
    }

    /**
     * Stores an output of one of the messages of a batch.
     *
     * @param incoming the message that it comes from, as by {@code claim.delivery().id()}
     * @return the message id of the record
     */
    public String send(@Nullable MessageId incoming, ProducerRecord<K, V> record) {
        return sendAll(incoming, List.of(record)).get(0);
    }

    /**
     * Stores records in one round trip, in their order.
     *
     * @param incoming the message that they come from; null if there is none
     * @return their message ids
     */
    public List<String> sendAll(@Nullable MessageId incoming, List<ProducerRecord<K, V>> records) {
        List<Output> outputs =
                records.stream().map(record -> output(incoming, record)).toList();
        store.add(outputs, afterCommit);
        return outputs.stream().map(Output::id).toList();
    }

    private Output output(@Nullable MessageId incoming, ProducerRecord<K, V> record) {
        byte[] key = keys.serialize(record.topic(), record.headers(), record.key());
        byte[] value = values.serialize(record.topic(), record.headers(), record.value());
        Optional<String> given = text(record.headers(), header);
        Optional<MessageId> copied = given.flatMap(this::handled);
        Optional<String> own =
                copied.isPresent() ? Optional.empty() : given.or(() -> text(record.headers(), CLOUD_EVENT));
        String id = own.orElseGet(() -> newId(incoming == null ? copied.orElse(null) : incoming));
        List<Payload.Header> headers = new ArrayList<>();
        for (Header each : record.headers()) {
            if (own.isPresent() || !each.key().equalsIgnoreCase(header)) {
                headers.add(new Payload.Header(each.key(), each.value()));
            }
        }
        if (own.isEmpty()) {
            headers.add(new Payload.Header(header, id.getBytes(StandardCharsets.UTF_8)));
        }
        return new Output(id, record.topic(), record.partition(), record.timestamp(), key, value, headers);
    }

    /** Returns the handled message that has this text in the header of ids: an output with it copies the header. */
    private Optional<MessageId> handled(String text) {
        return HandledMessages.onThread()
                .flatMap(messages -> messages.having(
                        "outbox " + header,
                        text,
                        message -> message instanceof ConsumerRecord<?, ?> incoming
                                ? text(incoming.headers(), header)
                                : Optional.empty()));
    }

    private static Optional<String> text(Headers headers, String name) {
        return Stream.of(headers.toArray())
                .filter(each -> each.key().equalsIgnoreCase(name) && each.value() != null)
                .map(each -> new String(each.value(), StandardCharsets.UTF_8))
                .filter(text -> !MessageId.isBlank(text))
                .reduce((first, last) -> last);
    }

    private String newId(@Nullable MessageId incoming) {
        Optional<HandledMessages> handled = HandledMessages.onThread();
        return incoming == null || handled.isEmpty() || !store.isWithClaims()
                ? ids.generate().toString()
                : DerivedIds.of(incoming, handled.get().nextNumber(List.of(Outbox.class, incoming)));
    }
}

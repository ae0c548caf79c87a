package io.idempotency.kafka;

import io.idempotency.HandledMessages;
import io.idempotency.store.MessageId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * Gives an output that carries the id of the record whose handler sends it, as whoever copies all headers does, an id of its own: a copied one would
 * make all outputs of a record one message. The id is derived from consumer, incoming id and the number of the output, so that it is the same when the
 * record is handled again. In a batch the record is the one that has the id, and numbers count for each. Immutable.
 *
 * <p>An output is known by the thread that sends it, while the handler runs. What is sent by others keeps its id.
 */
public final class DerivedIds {

    private static final long VERSION_MASK = 0xFFFF_FFFF_FFFF_0FFFL;
    private static final long VERSION_8 = 0x8000L;
    private static final long VARIANT_MASK = 0x3FFF_FFFF_FFFF_FFFFL;
    private static final long VARIANT = 0x8000_0000_0000_0000L;

    private final List<String> headers;

    private DerivedIds(List<String> headers) {
        this.headers = headers;
    }

    /** Returns those for ids in these headers, and in {@code ce_id}. */
    public static DerivedIds in(List<String> headers) {
        return new DerivedIds(
                Stream.concat(headers.stream(), Stream.of(HeaderIds.ID)).toList());
    }

    /**
     * Returns the id of an output: a UUID of version 8, by SHA-256. For whoever numbers the outputs of a message, as for an outbox or for other
     * threads.
     *
     * @param incoming the id of the message that it is made from, and the consumer that makes it
     * @param number 0 for its first output, 1 for the next
     */
    public static String of(MessageId incoming, int number) {
        // Consumer names have no slash, and numbers neither.
        String name = incoming.consumer() + "/" + incoming.value() + "/" + number;
        ByteBuffer hash = ByteBuffer.wrap(sha256().digest(name.getBytes(StandardCharsets.UTF_8)));
        return new UUID((hash.getLong() & VERSION_MASK) | VERSION_8, (hash.getLong() & VARIANT_MASK) | VARIANT)
                .toString();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }

    /** Returns the output with an id of its own if it carries that of the record being handled, else as it is. */
    public <K, V> ProducerRecord<K, V> derived(ProducerRecord<K, V> output) {
        return HandledMessages.onThread()
                .map(handled -> derived(output, handled))
                .orElse(output);
    }

    private <K, V> ProducerRecord<K, V> derived(ProducerRecord<K, V> output, HandledMessages handled) {
        List<String> copied = new ArrayList<>(1);
        Optional<MessageId> incoming = Optional.empty();
        for (String name : headers) {
            Optional<MessageId> of = id(output.headers(), name)
                    .flatMap(id -> handled.having(
                            name,
                            id,
                            message -> message instanceof ConsumerRecord<?, ?> record
                                    ? id(record.headers(), name)
                                    : Optional.empty()));
            if (of.isPresent() && (incoming.isEmpty() || incoming.equals(of))) {
                incoming = of;
                copied.add(name);
            }
        }
        return incoming.map(id -> replaced(output, copied, of(id, handled.nextNumber(id))))
                .orElse(output);
    }

    /** Returns what makes a message one and the same to whoever reads the header: an id of CloudEvents counts with its source. */
    private static Optional<String> id(Headers headers, String name) {
        Optional<String> id = HeaderIds.usable(headers, name);
        return name.equals(HeaderIds.ID)
                ? id.map(text -> HeaderIds.usable(headers, HeaderIds.SOURCE).orElse("") + '\n' + text)
                : id;
    }

    private static <K, V> ProducerRecord<K, V> replaced(ProducerRecord<K, V> output, List<String> names, String id) {
        try {
            replace(output.headers(), names, id);
            return output;
        } catch (IllegalStateException readOnly) {
            ProducerRecord<K, V> copy = MessageIdInterceptor.copy(output);
            replace(copy.headers(), names, id);
            return copy;
        }
    }

    private static void replace(Headers headers, List<String> names, String id) {
        Stream.of(headers.toArray())
                .map(Header::key)
                .filter(key -> names.stream().anyMatch(key::equalsIgnoreCase))
                .distinct()
                .forEach(key -> headers.remove(key).add(key, id.getBytes(StandardCharsets.US_ASCII)));
    }
}

package io.idempotency.kafka;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives every record that is sent a message id, in a header; set it as {@code interceptor.classes} of a producer. Never makes a send fail.
 * Thread-safe.
 *
 * <ul>
 *   <li>A record without an id, and without a {@code ce_id} of CloudEvents, gets one.
 *   <li>A record with the id of the message that is handled on this thread, as whoever copies all headers sends it, gets one of its own in its
 *       place: with the copied one all outputs of a message would be one. No other id is overwritten.
 * </ul>
 *
 * <p>Outside of a handler the id is a time-ordered UUID (version 7), made when the record is sent: the producer's own retries keep it, a second
 * {@code send} of a new record gets another one. Where an application sends again, give the message its id yourself.
 *
 * <p>What a handler sends on its own thread gets an id {@linkplain DerivedIds derived} from the message that is handled, and from the topic,
 * partition and timestamp (if the sender sets them), key, value and headers of the output (those of tracing aside): the same one when the message is handled again and says the same. If it then says
 * something else, the output is another message. Key and value are serialized once more for that. In a batch it holds for outputs with the id of
 * one of its messages, and others get a UUID of version 7.
 */
public final class MessageIdInterceptor<K, V> implements ProducerInterceptor<K, V> {

    /** The producer property that names the headers which may carry an id, the first being the one to stamp; {@value MessageIds#HEADER} unless set. */
    public static final String HEADER_CONFIG = "idempotency.message-id.header";

    /**
     * The producer property that says whether a record is stamped, too, that spring-kafka forwards to a retry or dead-letter topic; {@code true}
     * unless set. To be {@code false} where consumers take coordinates as ids: a stamp would be another id than the record had at its first
     * topic.
     */
    public static final String FORWARDED_CONFIG = "idempotency.message-id.forwarded";

    /**
     * The producer property that says whether what a handler sends gets derived ids; {@code true} unless set. If it does not, copied ids stay as
     * they are.
     */
    public static final String DERIVED_CONFIG = "idempotency.message-id.derived";

    /** The producer property that says whether a record without an id gets one; {@code true} unless set. */
    public static final String STAMPED_CONFIG = "idempotency.message-id.stamped";

    private static final Logger log = LoggerFactory.getLogger(MessageIdInterceptor.class);

    private final NoArgGenerator ids = Generators.timeBasedEpochGenerator();
    private List<String> headers = List.of(MessageIds.HEADER);
    private OutputContent content = new OutputContent(Map.of());
    private OutputIds outputIds = new OutputIds(headers, content);
    private boolean isStamping = true;
    private boolean isStampingForwarded = true;
    private boolean isDeriving = true;

    @Override
    public void configure(Map<String, ?> configs) {
        Object names = configs.get(HEADER_CONFIG);
        if (names != null && !names.toString().isBlank()) {
            headers = Stream.of(names.toString().split(",")).map(String::trim).toList();
        }
        content = new OutputContent(configs);
        outputIds = new OutputIds(headers, content);
        isStamping = isOn(configs.get(STAMPED_CONFIG));
        isStampingForwarded = isOn(configs.get(FORWARDED_CONFIG));
        isDeriving = isOn(configs.get(DERIVED_CONFIG));
    }

    private static boolean isOn(@Nullable Object config) {
        return config == null || Boolean.parseBoolean(config.toString().trim());
    }

    @Override
    public ProducerRecord<K, V> onSend(ProducerRecord<K, V> record) {
        try {
            if (!hasId(record.headers())) {
                return isLeftAlone(record.headers()) ? record : stamped(record);
            }
            Optional<OutputIds.Copied> copied = isDeriving ? outputIds.copied(record) : Optional.empty();
            return copied.map(id -> withId(record, id.headers(), derivedOrNew(outputIds.replacing(id, record))))
                    .orElse(record);
        } catch (RuntimeException failure) {
            log.warn("A record for {} is sent without a message id of its own", record.topic(), failure);
            return record;
        }
    }

    private boolean hasId(Headers given) {
        return HeaderIds.isThere(given, HeaderIds.ID)
                || headers.stream().anyMatch(name -> HeaderIds.isThere(given, name));
    }

    private boolean isLeftAlone(Headers given) {
        return !isStamping || (!isStampingForwarded && ForwardedCoordinates.isForwarded(given));
    }

    private ProducerRecord<K, V> stamped(ProducerRecord<K, V> record) {
        Optional<String> derived = isDeriving ? outputIds.missing(record) : Optional.empty();
        return withId(record, headers.subList(0, 1), derivedOrNew(derived));
    }

    private byte[] derivedOrNew(Optional<String> derived) {
        return derived.orElseGet(() -> ids.generate().toString()).getBytes(StandardCharsets.US_ASCII);
    }

    private static <K, V> ProducerRecord<K, V> withId(ProducerRecord<K, V> record, List<String> names, byte[] id) {
        try {
            replace(record.headers(), names, id);
            return record;
        } catch (IllegalStateException readOnly) {
            // A record that was sent before: its headers are closed, a copy's are not.
            ProducerRecord<K, V> copy = new ProducerRecord<>(
                    record.topic(),
                    record.partition(),
                    record.timestamp(),
                    record.key(),
                    record.value(),
                    record.headers());
            replace(copy.headers(), names, id);
            return copy;
        }
    }

    /** A header that is there keeps its name as it is written. */
    private static void replace(Headers headers, List<String> names, byte[] id) {
        for (String name : names) {
            List<String> there = Stream.of(headers.toArray())
                    .map(Header::key)
                    .filter(name::equalsIgnoreCase)
                    .distinct()
                    .toList();
            there.forEach(headers::remove);
            (there.isEmpty() ? List.of(name) : there).forEach(key -> headers.add(key, id));
        }
    }

    @Override
    public void close() {
        content.close();
    }
}

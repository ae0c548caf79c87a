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
 * Gives every sent record a message id in a header. Set it as {@code interceptor.classes} of a producer. It never makes a send fail.
 * Thread-safe.
 *
 * <ul>
 *   <li>A record without an id, and without a {@code ce_id} of CloudEvents, gets one.
 *   <li>A record with the id of the message that is handled on this thread, because its sender copied all headers, gets an id of its own
 *       instead: otherwise all outputs of a message would share one id. No other id is overwritten.
 * </ul>
 *
 * <p>Outside of a handler the id is a time-ordered UUID (version 7), made when the record is sent. The producer's own retries keep it; a second
 * {@code send} of a new record gets another one. If the application itself sends a message again, give the message its id yourself.
 *
 * <p>An output that a handler sends on its own thread gets an id {@linkplain DerivedIds derived} from the handled message and from the output:
 * topic, partition and timestamp (if the sender sets them), key, value, and headers except those of tracing. If the message is handled again and
 * the output says the same, it gets the same id; if it says something else, it is another message. Key and value are serialized once more for
 * this. In a batch, only outputs with the id of one of its messages get derived ids; others get a UUID of version 7.
 */
public final class MessageIdInterceptor<K, V> implements ProducerInterceptor<K, V> {

    /** The producer property that names the headers which may carry an id, separated by commas; new ids go into the first. Default: {@value MessageIds#HEADER}. */
    public static final String HEADER_CONFIG = "idempotency.message-id.header";

    /**
     * The producer property that says whether records that spring-kafka forwards to a retry or dead-letter topic get an id, too. Default: {@code
     * true}. Set it to {@code false} if consumers take coordinates as ids: a new id would differ from the one that the record had in its first
     * topic.
     */
    public static final String FORWARDED_CONFIG = "idempotency.message-id.forwarded";

    /**
     * The producer property that says whether outputs of a handler get derived ids. Default: {@code true}. With {@code false}, copied ids stay as
     * they are.
     */
    public static final String DERIVED_CONFIG = "idempotency.message-id.derived";

    /** The producer property that says whether a record without an id gets one. Default: {@code true}. */
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
            log.warn("A record for {} is sent without a message id of its own.", record.topic(), failure);
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

    /** Replaces the values of headers. A header that exists keeps the case of its name. */
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

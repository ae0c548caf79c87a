package io.idempotency.kafka;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stamps a time-ordered UUID (version 7) as the message id on every record that has none, nor a {@code ce_id} of CloudEvents; set it as
 * {@code interceptor.classes} of a producer. Never overwrites an id, but for one that a handler copied from the record it was given: that is
 * replaced by one of its own ({@link DerivedIds}). Never makes a send fail. Thread-safe.
 *
 * <p>The id is made when the record is sent: the producer's own retries keep it, a second {@code send} of a new record gets another one.
 * Where an application sends again, give the message its id yourself.
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

    /** The producer property that says whether copied ids are replaced; {@code true} unless set. */
    public static final String DERIVED_CONFIG = "idempotency.message-id.derived";

    private static final Logger log = LoggerFactory.getLogger(MessageIdInterceptor.class);

    private final NoArgGenerator ids = Generators.timeBasedEpochGenerator();
    private List<String> headers = List.of(MessageIds.HEADER);
    private DerivedIds derivedIds = DerivedIds.in(headers);
    private boolean isStampingForwarded = true;
    private boolean isDeriving = true;

    @Override
    public void configure(Map<String, ?> configs) {
        Object names = configs.get(HEADER_CONFIG);
        if (names != null && !names.toString().isBlank()) {
            headers = Stream.of(names.toString().split(",")).map(String::trim).toList();
        }
        derivedIds = DerivedIds.in(headers);
        isStampingForwarded = isOn(configs.get(FORWARDED_CONFIG));
        isDeriving = isOn(configs.get(DERIVED_CONFIG));
    }

    private static boolean isOn(@Nullable Object config) {
        return config == null || Boolean.parseBoolean(config.toString().trim());
    }

    @Override
    public ProducerRecord<K, V> onSend(ProducerRecord<K, V> record) {
        try {
            if (hasId(record.headers())) {
                return isDeriving ? derivedIds.derived(record) : record;
            }
            return isLeftAlone(record.headers()) ? record : stamped(record);
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
        return !isStampingForwarded && ForwardedCoordinates.isForwarded(given);
    }

    private ProducerRecord<K, V> stamped(ProducerRecord<K, V> record) {
        byte[] id = ids.generate().toString().getBytes(StandardCharsets.US_ASCII);
        try {
            record.headers().add(headers.get(0), id);
            return record;
        } catch (IllegalStateException readOnly) {
            // A record that was sent before: its headers are closed, a copy's are not.
            ProducerRecord<K, V> copy = copy(record);
            copy.headers().add(headers.get(0), id);
            return copy;
        }
    }

    static <K, V> ProducerRecord<K, V> copy(ProducerRecord<K, V> record) {
        return new ProducerRecord<>(
                record.topic(), record.partition(), record.timestamp(), record.key(), record.value(), record.headers());
    }

    @Override
    public void close() {
        // holds nothing
    }
}

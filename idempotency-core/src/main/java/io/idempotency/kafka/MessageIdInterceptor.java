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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stamps a time-ordered UUID (version 7) as the message id on every record that has none, nor a {@code ce_id} of CloudEvents; set it as
 * {@code interceptor.classes} of a producer. Never overwrites an id, never makes a send fail. Thread-safe.
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

    private static final Logger log = LoggerFactory.getLogger(MessageIdInterceptor.class);

    private final NoArgGenerator ids = Generators.timeBasedEpochGenerator();
    private List<String> headers = List.of(MessageIds.HEADER);
    private boolean isStampingForwarded = true;

    @Override
    public void configure(Map<String, ?> configs) {
        Object names = configs.get(HEADER_CONFIG);
        if (names != null && !names.toString().isBlank()) {
            headers = Stream.of(names.toString().split(",")).map(String::trim).toList();
        }
        Object forwarded = configs.get(FORWARDED_CONFIG);
        isStampingForwarded =
                forwarded == null || Boolean.parseBoolean(forwarded.toString().trim());
    }

    @Override
    public ProducerRecord<K, V> onSend(ProducerRecord<K, V> record) {
        try {
            return hasId(record.headers()) || isLeftAlone(record.headers()) ? record : stamped(record);
        } catch (RuntimeException failure) {
            log.warn("A record for {} is sent without a message id", record.topic(), failure);
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
            ProducerRecord<K, V> copy = new ProducerRecord<>(
                    record.topic(),
                    record.partition(),
                    record.timestamp(),
                    record.key(),
                    record.value(),
                    record.headers());
            copy.headers().add(headers.get(0), id);
            return copy;
        }
    }

    @Override
    public void close() {
        // holds nothing
    }
}

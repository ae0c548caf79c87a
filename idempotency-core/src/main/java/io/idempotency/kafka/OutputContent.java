package io.idempotency.kafka;

import io.idempotency.store.Sha256;
import java.io.Closeable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Digests outputs, to tell whether two say the same: SHA-256 of topic, partition and timestamp (if the sender sets them), key, value and headers.
 * Key and value count as the producer's serializers write them, so they are serialized twice. Thread-safe, as serializers of producers are.
 */
final class OutputContent implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(MessageIdInterceptor.class);
    /** The headers of W3C and B3, which differ in each run. */
    private static final Set<String> TRACING = Set.of("traceparent", "tracestate", "baggage", "b3");

    private static final String TRACING_PREFIX = "x-b3-";

    private final Map<String, ?> configs;
    private final List<Serializer<?>> own = new ArrayList<>(2);
    private @Nullable Serializer<Object> keys;
    private @Nullable Serializer<Object> values;
    private boolean isUnknown;

    /** Creates digests for a producer with these settings, whose serializers may be classes, names or instances. */
    OutputContent(Map<String, ?> configs) {
        this.configs = configs;
    }

    /** Returns the digest, without the headers that the predicate takes; empty if the serializers cannot be made or used. */
    Optional<byte[]> digest(ProducerRecord<?, ?> output, Predicate<String> isLeftOut) {
        try {
            return isReady() ? Optional.of(digested(output, isLeftOut)) : Optional.empty();
        } catch (RuntimeException e) {
            log.debug(
                    "An output to {} cannot be digested, so it gets a new id when its message is handled again.",
                    output.topic(),
                    e);
            return Optional.empty();
        }
    }

    private byte[] digested(ProducerRecord<?, ?> output, Predicate<String> isLeftOut) {
        MessageDigest digest = Sha256.digest();
        add(digest, output.topic().getBytes(StandardCharsets.UTF_8));
        add(digest, number(output.partition()));
        add(digest, number(output.timestamp()));
        add(digest, bytes(keys, output, output.key()));
        add(digest, bytes(values, output, output.value()));
        for (Header header : output.headers()) {
            if (!isTracing(header.key()) && !isLeftOut.test(header.key())) {
                add(digest, header.key().getBytes(StandardCharsets.UTF_8));
                add(digest, header.value());
            }
        }
        return digest.digest();
    }

    private static byte @Nullable [] number(@Nullable Number given) {
        return given == null
                ? null
                : ByteBuffer.allocate(Long.BYTES).putLong(given.longValue()).array();
    }

    private static boolean isTracing(String header) {
        String name = header.toLowerCase(Locale.ROOT);
        return TRACING.contains(name) || name.startsWith(TRACING_PREFIX);
    }

    private static byte @Nullable [] bytes(
            @Nullable Serializer<Object> serializer, ProducerRecord<?, ?> output, @Nullable Object data) {
        if (serializer == null || data == null) {
            return null;
        }
        // A copy, for serializers add headers.
        return serializer.serialize(output.topic(), new RecordHeaders(output.headers()), data);
    }

    /** The length in front keeps two parts from being read as one. */
    private static void add(MessageDigest digest, byte @Nullable [] part) {
        digest.update(ByteBuffer.allocate(Integer.BYTES)
                .putInt(part == null ? -1 : part.length)
                .flip());
        if (part != null) {
            digest.update(part);
        }
    }

    private synchronized boolean isReady() {
        if (values == null && !isUnknown) {
            try {
                keys = serializer(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, true);
                values = serializer(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, false);
            } catch (RuntimeException | ReflectiveOperationException e) {
                isUnknown = true;
                log.info(
                        "Outputs get a new id whenever their message is handled again, because the producer's serializers cannot be used: {}",
                        e.toString());
            }
        }
        return !isUnknown;
    }

    @SuppressWarnings("unchecked")
    private Serializer<Object> serializer(String config, boolean isKey) throws ReflectiveOperationException {
        Object configured = configs.get(config);
        if (configured instanceof Serializer<?> given) {
            return (Serializer<Object>) given;
        }
        if (configured == null) {
            throw new IllegalArgumentException(config + " is not set");
        }
        Class<?> type = configured instanceof Class<?> given
                ? given
                : Class.forName(configured.toString().trim(), true, Utils.getContextOrKafkaClassLoader());
        Serializer<Object> made =
                (Serializer<Object>) type.getDeclaredConstructor().newInstance();
        own.add(made);
        made.configure(configs, isKey);
        return made;
    }

    /** Closes the serializers that were made here, not those that were given. */
    @Override
    public synchronized void close() {
        isUnknown = true;
        own.forEach(Serializer::close);
        own.clear();
    }
}

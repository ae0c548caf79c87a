package io.idempotency.spring;

import io.idempotency.kafka.MessageIdInterceptor;
import io.idempotency.store.IdempotencyException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.ProducerFactory;

/**
 * Makes the producers that Spring Boot configures stamp message ids, after the user's own interceptors, and warns about settings that cause
 * duplicates.
 */
final class ProducerSetup implements DefaultKafkaProducerFactoryCustomizer {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);
    private static final int MOST_IN_FLIGHT = 5;

    private final List<String> headers;
    private final boolean stamps;
    private final boolean stampsForwarded;
    private final boolean derives;

    ProducerSetup(IdempotencyProperties properties) {
        this.headers = properties.messageId().headers();
        this.stamps = properties.producer().messageId();
        this.derives = properties.producer().derivedIds();
        this.stampsForwarded = properties.messageId().missing() != IdempotencyProperties.Missing.COORDINATES;
    }

    @Override
    public void customize(DefaultKafkaProducerFactory<?, ?> factory) {
        Map<String, Object> configured = factory.getConfigurationProperties();
        if (stamps) {
            factory.updateConfigs(Map.of(
                    ProducerConfig.INTERCEPTOR_CLASSES_CONFIG,
                    withOurs(configured.get(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG))));
            factory.updateConfigs(settings());
        }
        warn(configured);
    }

    private Map<String, Object> settings() {
        return Map.of(
                MessageIdInterceptor.HEADER_CONFIG,
                String.join(",", headers),
                MessageIdInterceptor.FORWARDED_CONFIG,
                stampsForwarded,
                MessageIdInterceptor.DERIVED_CONFIG,
                derives);
    }

    /**
     * Returns an interceptor to call in front of the factory's producers. It knows the factory's serializers, which may be objects; the one inside
     * the producers does not. It stamps only if the inner one does and no interceptor of the user, which may set ids of its own, comes first.
     */
    static <K, V> MessageIdInterceptor<K, V> interceptor(
            ProducerFactory<K, V> factory, IdempotencyProperties properties) {
        Map<String, Object> configs = new HashMap<>(configs(factory));
        new ProducerSetup(properties).settings().forEach(configs::putIfAbsent);
        List<Object> interceptors = interceptors(configs.get(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG));
        configs.put(
                MessageIdInterceptor.STAMPED_CONFIG,
                !interceptors.isEmpty() && interceptors.stream().allMatch(ProducerSetup::isOurs));
        putSerializer(configs, true, factory, factory.getKeySerializerSupplier());
        putSerializer(configs, false, factory, factory.getValueSerializerSupplier());
        MessageIdInterceptor<K, V> interceptor = new MessageIdInterceptor<>();
        interceptor.configure(configs);
        return interceptor;
    }

    private static Map<String, Object> configs(ProducerFactory<?, ?> factory) {
        try {
            return factory.getConfigurationProperties();
        } catch (UnsupportedOperationException ofOwnKind) {
            return Map.of();
        }
    }

    /** A supplier may create a serializer for each producer, which the factory then configures. */
    private static void putSerializer(
            Map<String, Object> configs,
            boolean isKey,
            ProducerFactory<?, ?> factory,
            @Nullable Supplier<? extends @Nullable Serializer<?>> supplier) {
        Serializer<?> serializer = supplier == null ? null : supplier.get();
        if (serializer == null) {
            return;
        }
        if (factory instanceof DefaultKafkaProducerFactory<?, ?> configuring && configuring.isConfigureSerializers()) {
            serializer.configure(configs, isKey);
        }
        configs.put(
                isKey ? ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG : ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG,
                serializer);
    }

    /** Returns a serializer as the producers of the factory have it. */
    @SuppressWarnings("unchecked")
    static <T> Serializer<T> serializer(ProducerFactory<?, ?> factory, boolean isKey) {
        Map<String, Object> configs = new HashMap<>(configs(factory));
        putSerializer(
                configs,
                isKey,
                factory,
                isKey ? factory.getKeySerializerSupplier() : factory.getValueSerializerSupplier());
        Object configured = configs.get(
                isKey ? ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG : ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG);
        if (configured instanceof Serializer<?> serializer) {
            return (Serializer<T>) serializer;
        }
        try {
            Class<?> type = configured instanceof Class<?> given
                    ? given
                    : Utils.loadClass(String.valueOf(configured), Serializer.class);
            Serializer<T> serializer = (Serializer<T>) Utils.newInstance(type);
            serializer.configure(configs, isKey);
            return serializer;
        } catch (ClassNotFoundException e) {
            throw new IdempotencyException("There is no serializer " + configured, e);
        }
    }

    private static List<Object> withOurs(@Nullable Object users) {
        List<Object> all = interceptors(users);
        if (all.stream().noneMatch(ProducerSetup::isOurs)) {
            all.add(MessageIdInterceptor.class.getName());
        }
        return all;
    }

    private static List<Object> interceptors(@Nullable Object configured) {
        List<Object> all = new ArrayList<>();
        if (configured instanceof Collection<?> several) {
            all.addAll(several);
        } else if (configured instanceof String names && !names.isBlank()) {
            all.addAll(List.of(names.trim().split("\\s*,\\s*")));
        } else if (configured instanceof Class<?> single) {
            all.add(single);
        }
        return all;
    }

    private static boolean isOurs(Object interceptor) {
        return interceptor.equals(MessageIdInterceptor.class)
                || interceptor.equals(MessageIdInterceptor.class.getName());
    }

    private static void warn(Map<String, Object> configured) {
        boolean isIdempotent = Boolean.parseBoolean(text(configured, ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true"));
        String acks = text(configured, ProducerConfig.ACKS_CONFIG, "all");
        int inFlight = Integer.parseInt(text(configured, ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, "5"));
        if (!isIdempotent) {
            log.warn(
                    "The producer has enable.idempotence=false: its own retries cause duplicates. Remove that setting.");
        }
        if (!acks.equals("all") && !acks.equals("-1")) {
            log.warn(
                    "The producer has acks={}: a message may be lost with its broker. Remove that setting, or set acks=all.",
                    acks);
        }
        if (inFlight > (isIdempotent ? MOST_IN_FLIGHT : 1)) {
            log.warn(
                    "The producer has max.in.flight.requests.per.connection={}: its retries can change the order of messages.",
                    inFlight);
        }
    }

    private static String text(Map<String, Object> configured, String name, String otherwise) {
        return String.valueOf(configured.getOrDefault(name, otherwise)).trim();
    }
}

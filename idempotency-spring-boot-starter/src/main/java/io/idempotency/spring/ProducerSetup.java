package io.idempotency.spring;

import io.idempotency.kafka.MessageIdInterceptor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaProducerFactoryCustomizer;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;

/** Has the producers that Spring Boot configures stamp message ids, behind the user's own interceptors, and warns of settings that make duplicates. */
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
                    withOurs(configured.get(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG)),
                    MessageIdInterceptor.HEADER_CONFIG,
                    String.join(",", headers),
                    MessageIdInterceptor.FORWARDED_CONFIG,
                    stampsForwarded,
                    MessageIdInterceptor.DERIVED_CONFIG,
                    derives));
        }
        warn(configured);
    }

    private static List<Object> withOurs(@Nullable Object users) {
        List<Object> all = new ArrayList<>();
        if (users instanceof Collection<?> several) {
            all.addAll(several);
        } else if (users instanceof String names && !names.isBlank()) {
            all.addAll(List.of(names.trim().split("\\s*,\\s*")));
        } else if (users instanceof Class<?> single) {
            all.add(single);
        }
        String ours = MessageIdInterceptor.class.getName();
        if (!all.contains(ours) && !all.contains(MessageIdInterceptor.class)) {
            all.add(ours);
        }
        return all;
    }

    private static void warn(Map<String, Object> configured) {
        boolean isIdempotent = Boolean.parseBoolean(text(configured, ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true"));
        String acks = text(configured, ProducerConfig.ACKS_CONFIG, "all");
        int inFlight = Integer.parseInt(text(configured, ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, "5"));
        if (!isIdempotent) {
            log.warn("The producer has enable.idempotence=false: its own retries make duplicates. Leave it out.");
        }
        if (!acks.equals("all") && !acks.equals("-1")) {
            log.warn(
                    "The producer has acks={}: a message may be lost with its broker. Leave it out, or set all.", acks);
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

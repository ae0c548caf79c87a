package io.idempotency.samples.demo;

import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A producer without idempotence, as many still run. Each retry after a lost acknowledgment writes its records once
 * more.
 */
final class DirectSender implements AutoCloseable {

    private final KafkaProducer<String, String> producer;
    private final AtomicLong failed = new AtomicLong();

    DirectSender(String address) {
        producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        address,
                        ProducerConfig.CLIENT_ID_CONFIG,
                        "direct",
                        ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
                        false,
                        ProducerConfig.ACKS_CONFIG,
                        "all",
                        ProducerConfig.LINGER_MS_CONFIG,
                        20,
                        ProducerConfig.RETRY_BACKOFF_MS_CONFIG,
                        20,
                        ProducerConfig.RECONNECT_BACKOFF_MS_CONFIG,
                        20,
                        ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG,
                        100),
                new StringSerializer(),
                new StringSerializer());
    }

    void send(Payment payment) {
        var unused = producer.send(PaymentTopic.message(payment), (metadata, failure) -> {
            if (failure != null) {
                failed.incrementAndGet();
            }
        });
    }

    /** Returns the number of payments that the producer gave up. */
    long failed() {
        return failed.get();
    }

    /** Waits until every payment is acknowledged or given up. */
    @Override
    public void close() {
        producer.close();
    }
}

package io.idempotency.samples.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.streams.Deduplication;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.LongSerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.kafka.config.StreamsBuilderFactoryBean;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.test.EmbeddedKafkaBroker;
import org.springframework.kafka.test.context.EmbeddedKafka;
import org.springframework.kafka.test.utils.KafkaTestUtils;

@SpringBootTest(
        properties = {
            "spring.kafka.bootstrap-servers=${spring.embedded.kafka.brokers}",
            "spring.kafka.streams.state-dir=target/state",
            "spring.kafka.streams.properties.commit.interval.ms=100",
            "spring.kafka.streams.cleanup.on-shutdown=true"
        })
@EmbeddedKafka(
        topics = {"payments", "balances"},
        partitions = 1,
        brokerProperties = {"transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1"})
class LedgerStreamTest {

    @Autowired
    private EmbeddedKafkaBroker broker;

    @Autowired
    private StreamsBuilderFactoryBean streams;

    @Test
    void addsEachPaymentOnce() throws Exception {
        DefaultKafkaProducerFactory<String, Long> factory = new DefaultKafkaProducerFactory<>(
                KafkaTestUtils.producerProps(broker), new StringSerializer(), new LongSerializer());
        try {
            KafkaTemplate<String, Long> payments = new KafkaTemplate<>(factory);
            for (String id : List.of("p-1", "p-2", "p-1", "p-3", "p-2", "p-1")) {
                ProducerRecord<String, Long> payment = new ProducerRecord<>("payments", "anna", 100L);
                payment.headers().add("message-id", id.getBytes(UTF_8));
                payments.send(payment).get();
            }
        } finally {
            factory.destroy();
        }

        assertThat(lastBalance(300)).isEqualTo(300);
        KafkaStreams running = Objects.requireNonNull(streams.getKafkaStreams());
        assertThat(Deduplication.named("ledger").explain(running, "p-2").sentence())
                .contains("was forwarded at", "from payments-0@1");
    }

    /** Reads balances until one is as expected or above. */
    private long lastBalance(long expected) {
        Map<String, Object> settings = KafkaTestUtils.consumerProps(broker, "test", true);
        settings.put("isolation.level", "read_committed");
        settings.put("auto.offset.reset", "earliest");
        try (var consumer = new DefaultKafkaConsumerFactory<>(
                        settings, new StringDeserializer(), new LongDeserializer())
                .createConsumer()) {
            consumer.subscribe(List.of("balances"));
            long last = 0;
            while (last < expected) {
                for (ConsumerRecord<String, Long> balance :
                        KafkaTestUtils.getRecords(consumer, Duration.ofSeconds(30))) {
                    last = balance.value();
                }
            }
            return last;
        }
    }
}

package io.idempotency.samples.services;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends orders as the relay of the orders service does. It can also send one again, or give its message id to another order. */
final class Shop implements AutoCloseable {

    private static final int CUSTOMERS = 50;

    private final KafkaProducer<String, String> producer;

    Shop(String broker) {
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker, "max.in.flight.requests.per.connection", 1),
                new StringSerializer(),
                new StringSerializer());
    }

    /** An order with the id of its message. */
    record Order(UUID messageId, UUID id, String customer, long cents) {

        static Order of(String customer, long cents) {
            return new Order(UUID.randomUUID(), UUID.randomUUID(), customer, cents);
        }

        /** Returns another order in a message with the same id, by the fault of a sender. */
        Order otherWithItsId(long otherCents) {
            return new Order(messageId, UUID.randomUUID(), customer, otherCents);
        }

        Entry entry() {
            return new Entry(id, cents);
        }

        private ProducerRecord<String, String> message() {
            String value =
                    String.format(Locale.ROOT, "{\"id\":\"%s\",\"customer\":\"%s\",\"cents\":%d}", id, customer, cents);
            ProducerRecord<String, String> message = new ProducerRecord<>(Topics.ORDERS, customer, value);
            message.headers().add("message-id", messageId.toString().getBytes(StandardCharsets.UTF_8));
            return message;
        }
    }

    /** Returns so many ordinary orders. */
    static List<Order> orders(int number) {
        List<Order> orders = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            orders.add(Order.of("c" + i % CUSTOMERS, 100 + i));
        }
        return orders;
    }

    /** Sends orders. Returns their positions, as the library writes them, when Kafka has all of them. */
    List<String> send(List<Order> orders) throws ExecutionException, InterruptedException {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        orders.forEach(order -> sent.add(producer.send(order.message())));
        List<String> positions = new ArrayList<>();
        for (Future<RecordMetadata> one : sent) {
            RecordMetadata at = one.get();
            positions.add(at.topic() + "-" + at.partition() + "@" + at.offset());
        }
        return positions;
    }

    @Override
    public void close() {
        producer.close();
    }
}

package io.idempotency.samples.rough;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;

/** Deserializes orders. */
public final class OrderDeserializer implements Deserializer<Order> {

    @Override
    public Order deserialize(String topic, byte[] data) {
        return Order.decode(new String(data, StandardCharsets.UTF_8));
    }
}

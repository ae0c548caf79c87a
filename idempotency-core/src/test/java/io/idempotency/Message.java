package io.idempotency;

import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** A message of the flow's tests. An empty id stands for a missing one. */
record Message(String id, Position position) {

    static final MessageReader<Message> READER = new MessageReader<>() {
        @Override
        public Position position(Message message) {
            return message.position();
        }

        @Override
        public Payload payload(Message message) {
            byte[] value = message.id().getBytes(StandardCharsets.UTF_8);
            return new Payload(null, value, List.of(), Payload.Origin.RAW);
        }
    };

    static Message of(String id, int partition, long offset) {
        return new Message(id, new Position("orders", partition, offset));
    }

    /** Returns messages of one partition, from offset 0 on. */
    static List<Message> partition(int partition, String... ids) {
        return java.util.stream.IntStream.range(0, ids.length)
                .mapToObj(i -> of(ids[i], partition, i))
                .toList();
    }

    /** Returns what a redelivery brings. */
    Message copy() {
        return new Message(id, position);
    }

    Optional<String> messageId() {
        return id.isEmpty() ? Optional.empty() : Optional.of(id);
    }
}

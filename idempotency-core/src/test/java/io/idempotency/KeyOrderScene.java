package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantinedMessage;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** A consumer that keeps the order of keys. The key is the first letter of the id; ids with "-" have none. */
final class KeyOrderScene {

    final Bench bench = new Bench();
    final AtomicLong nanos = new AtomicLong();
    final KeyQueries queries = new KeyQueries(bench.quarantine);
    final IdempotentConsumer<Message> consumer = strong().build(nanos::get);

    IdempotentConsumerBuilder<Message> strong() {
        return bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .quarantine(queries)
                .reader(Message.READER)
                .keyOrder(KeyOrderScene::key);
    }

    static Optional<String> key(Message message) {
        return message.id().startsWith("-")
                ? Optional.empty()
                : Optional.of(message.id().substring(0, 1));
    }

    void poison(String id) {
        bench.failing.put(id, new IllegalStateException("poison"));
    }

    Outcome consumeOne(String id, long offset) {
        return consumer.consumeAll(List.of(Message.of(id, 0, offset)), bench::handle)
                .outcomes()
                .get(0);
    }

    QuarantinedMessage kept(String id) {
        return bench.quarantine
                .find(new MessageId("billing", id))
                .map(QuarantineEntry::message)
                .orElseThrow();
    }

    void drop(String id) {
        bench.quarantine.delete(new MessageId("billing", id));
    }

    /** Quarantines a message as a process does that owned the partition before. */
    void byFormerOwner(String id, long offset) {
        Delivery delivery = new Delivery(new MessageId("billing", id), new Position("orders", 0, offset));
        bench.store.transactions().inTransaction(() -> {
            Claim claim = bench.store.claim(List.of(delivery)).get(0);
            bench.store.quarantine(claim);
            bench.quarantine.save(new QuarantinedMessage(
                    delivery,
                    Payload.none(Payload.Origin.POSITION_ONLY),
                    FailureText.forQuarantine(new IllegalStateException("poison")),
                    1,
                    KeyHash.of(id.substring(0, 1)),
                    false));
        });
    }
}

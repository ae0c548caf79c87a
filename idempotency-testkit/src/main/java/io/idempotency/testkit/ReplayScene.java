package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.committed;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.ReplayStore.Item;
import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Quarantined messages and their replays, as the contracts need them. */
record ReplayScene(ClaimStore store, QuarantineStore quarantine, ReplayStore replays) {

    boolean takeTurn(Messages messages, Partition partition, String node, Duration length) {
        return replays.takeTurn(messages.consumer(), partition, node, length);
    }

    /** Quarantines so many messages of a new consumer. */
    Messages quarantined(int count) {
        Messages messages = Messages.ofNewConsumer();
        messages.inARow(count).forEach(delivery -> save(delivery, "A"));
        return messages;
    }

    List<MessageId> ids(Messages messages, int count) {
        return IntStream.range(0, count).mapToObj(i -> messages.id("m-" + i)).toList();
    }

    Replay found(String id) {
        return replays.find(id).orElseThrow();
    }

    List<Item> next(Replay replay) {
        return replays.next(replay.request().id(), new Partition("orders", 0), 100);
    }

    void settle(String id, Delivery delivery, ReplayResult result) {
        committed(store, () -> {
            assertThat(quarantine.delete(delivery.id())).isTrue();
            replays.count(id, result, Optional.empty());
            return true;
        });
    }

    void fail(String id, Delivery delivery, ReplayResult result, String group) {
        committed(store, () -> {
            QuarantinedMessage again = message(delivery, group, Origin.RAW);
            quarantine.save(again);
            replays.count(id, result, Optional.of(again.failure()));
            return true;
        });
    }

    ReplayRequest all(Messages messages) {
        return ReplayRequest.of(QuarantineSelection.of(messages.consumer()));
    }

    ReplayRequest some(Messages messages, String... ids) {
        return ReplayRequest.of(QuarantineSelection.of(messages.consumer()).ids(List.of(ids)));
    }

    void save(Delivery delivery, String group) {
        quarantine.save(message(delivery, group, Origin.RAW));
    }

    QuarantinedMessage message(Delivery delivery, String group, Origin origin) {
        return new QuarantinedMessage(
                delivery,
                new Payload(null, null, List.of(), origin),
                new QuarantineFailure("some.Failure" + group, group, "text"),
                1);
    }
}

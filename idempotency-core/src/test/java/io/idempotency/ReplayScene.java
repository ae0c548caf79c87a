package io.idempotency;

import io.idempotency.memory.MemoryReplays;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** A consumer with messages in quarantine, and the replay {@value #REPLAY}. */
final class ReplayScene {

    static final String REPLAY = "again";
    final Throwable poison = new IllegalArgumentException("poison");

    final Bench bench = new Bench();
    final MemoryReplays replays = new MemoryReplays(bench.store, bench.quarantine);
    final List<Replayed> events = new ArrayList<>();
    final AtomicLong nanos = new AtomicLong();

    IdempotentConsumer<Message> consumer(ConsistencyLevel level) {
        return bench.level(level)
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(Integer.MAX_VALUE)
                .listener(new ConsumptionListener() {
                    @Override
                    public void onConsumption(Consumption consumption) {}

                    @Override
                    public void onReplay(Replayed replayed) {
                        events.add(replayed);
                    }
                })
                .build();
    }

    Replayer<Message> replayer(IdempotentConsumer<Message> consumer) {
        return Replayer.of(consumer, replays, Clockwork.of(nanos::get), Replayer.TURN);
    }

    ReplayHandler handler(Replayer<Message> replayer) {
        return (entry, replay) -> replayer.consumer().consume(message(entry), bench::handle);
    }

    static Message message(QuarantineEntry entry) {
        byte[] value = entry.message().payload().value();
        return new Message(
                value == null ? "" : new String(value, StandardCharsets.UTF_8),
                entry.message().delivery().position());
    }

    /** Consumes messages of which some are poison, and mends the handler. */
    void quarantine(IdempotentConsumer<Message> consumer, List<Message> messages, String... poison) {
        for (String id : poison) {
            bench.failing.put(id, this.poison);
        }
        messages.forEach(message -> consumer.consumeAll(List.of(message), bench::handle));
        bench.failing.clear();
        bench.calls.clear();
    }

    void request() {
        var unused = replays.request(
                ReplayRequest.of(QuarantineSelection.of("billing")).id(REPLAY).perSecond(1_000));
    }

    /** Runs rounds, and lets the time pass that they want to wait, until the replay does not run any more. */
    void carryOut(ReplayRounds rounds) {
        for (int i = 0; i < 1_000 && status() == Replay.Status.RUNNING; i++) {
            nanos.addAndGet(rounds.round().toNanos());
        }
    }

    Replay.Status status() {
        return replays.find(REPLAY).orElseThrow().status();
    }

    Replay.Progress progress() {
        return replays.find(REPLAY).orElseThrow().progress();
    }

    Optional<Processed> known(String id) {
        return bench.store.find(new MessageId("billing", id));
    }

    Optional<QuarantineEntry> kept(String id) {
        return bench.quarantine.find(new MessageId("billing", id));
    }
}

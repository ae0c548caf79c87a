package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.memory.MemoryReplays;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Messages behind an earlier one of their key follow by themselves, in order. The key is the first letter of the id. */
class FollowersTest {

    private final Bench bench = new Bench();
    private final MemoryReplays replays = new MemoryReplays(bench.store, bench.quarantine);
    private final AtomicLong nanos = new AtomicLong();

    private IdempotentConsumer<Message> consumer(ConsistencyLevel level) {
        return bench.level(level)
                .failures(FailurePolicy.quarantineAfter(1))
                .keyOrder(message -> Optional.of(message.id().substring(0, 1)))
                .build();
    }

    private ReplayRounds rounds(IdempotentConsumer<Message> consumer) {
        return rounds(consumer, replays);
    }

    private ReplayRounds rounds(IdempotentConsumer<Message> consumer, ReplayStore store) {
        Replayer<Message> replayer = Replayer.of(consumer, store, Clockwork.of(nanos::get), Replayer.TURN);
        return replayer.rounds((entry, replay) -> replayer.consumer().consume(message(entry), bench::handle));
    }

    private static Message message(QuarantineEntry entry) {
        byte[] value = entry.message().payload().value();
        return new Message(
                value == null ? "" : new String(value, StandardCharsets.UTF_8),
                entry.message().delivery().position());
    }

    private void carryOut(ReplayRounds rounds) {
        for (int i = 0; i < 30; i++) {
            nanos.addAndGet(rounds.round().toNanos());
        }
    }

    private void quarantine(IdempotentConsumer<Message> consumer, String poison, String... ids) {
        bench.failing.put(poison, new IllegalArgumentException("poison"));
        Message.partition(0, ids).forEach(message -> consumer.consumeAll(List.of(message), bench::handle));
        bench.failing.clear();
        bench.calls.clear();
    }

    private void request(String id, String... messages) {
        QuarantineSelection all = QuarantineSelection.of("billing");
        var unused = replays.request(ReplayRequest.of(messages.length == 0 ? all : all.ids(List.of(messages)))
                .id(id)
                .perSecond(1_000)
                .acceptRepeatedEffects());
    }

    private Optional<QuarantineEntry> kept(String id) {
        return bench.quarantine.find(new MessageId("billing", id));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    @Tag("rule-10.6")
    void followTheReplayOfTheFirstMessage(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level);
        quarantine(consumer, "a1", "a1", "a2", "b1", "a3");
        request("first", "a1");

        carryOut(rounds(consumer));

        assertThat(bench.calls).containsExactly("a1", "a2", "a3");
        assertThat(bench.quarantine.list("billing", 10)).isEmpty();
        assertThat(consumer.consume(Message.of("a4", 0, 4), bench::handle)).isEqualTo(Outcome.PROCESSED);
    }

    @Test
    @Tag("rule-10.6")
    void followTheDeletionOfTheFirstMessage() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, "a1", "a1", "a2", "a3");
        ReplayRounds rounds = rounds(consumer);
        carryOut(rounds);
        assertThat(bench.calls).isEmpty();

        bench.quarantine.delete(new MessageId("billing", "a1"));
        carryOut(rounds);

        assertThat(bench.calls).containsExactly("a2", "a3");
    }

    @Test
    @Tag("rule-9.7")
    void askForTheTurnOfAnotherNodeOnceInARound() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        bench.failing.put("b1", new IllegalArgumentException("poison"));
        quarantine(consumer, "a1", "a1", "b1", "a2", "b2");
        bench.quarantine.delete(new MessageId("billing", "a1"));
        bench.quarantine.delete(new MessageId("billing", "b1"));
        boolean unused = replays.takeTurn("billing", new Partition("orders", 0), "another node", Duration.ofHours(1));
        AtomicInteger asked = new AtomicInteger();
        ReplayStore counted = (ReplayStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ReplayStore.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("takeTurn")) {
                        asked.incrementAndGet();
                    }
                    return method.invoke(replays, arguments);
                });

        Duration wait = rounds(consumer, counted).round();

        assertThat(wait).isEqualTo(ReplayRounds.LOOK);
        assertThat(bench.calls).isEmpty();
        assertThat(asked).hasValue(1);
    }

    @Test
    @Tag("rule-10.6")
    void aFollowerThatFailsStopsItsKey() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, "a1", "a1", "a2", "a3");
        bench.failing.put("a2", new IllegalStateException("another poison"));
        request("first", "a1");

        carryOut(rounds(consumer));

        assertThat(bench.calls).containsExactly("a1", "a2");
        assertThat(kept("a2").orElseThrow().message().isBehind()).isFalse();
        assertThat(kept("a2").orElseThrow().message().attempts()).isEqualTo(1);
        assertThat(kept("a3").orElseThrow().message().isBehind()).isTrue();
    }

    @Test
    @Tag("rule-10.9")
    void aReplayLeavesAMessageWhoseEarlierOneIsNotChosen() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, "a1", "a1", "a2", "a3");
        request("second", "a2");

        carryOut(rounds(consumer));

        assertThat(bench.calls).isEmpty();
        assertThat(kept("a2").orElseThrow().message().isBehind()).isTrue();
        assertThat(replays.find("second").orElseThrow().status()).isEqualTo(Replay.Status.DONE);
    }

    @Test
    @Tag("rule-10.9")
    void aReplayStopsAKeyAtTheFirstMessageThatFailsAgain() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, "a1", "a1", "a2", "b1", "a3");
        bench.failing.put("a2", new IllegalStateException("another poison"));
        request("all");

        carryOut(rounds(consumer));

        assertThat(bench.calls).containsExactly("a1", "a2");
        assertThat(replays.find("all").orElseThrow().status()).isEqualTo(Replay.Status.DONE);
        assertThat(bench.effects).containsExactly("b1", "a1");
    }
}

package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.ConsistencyLevel;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Two nodes replay the same messages, a third one consumes the original records meanwhile, and a fourth one purges. */
final class ReplayRace {

    private static final int MESSAGES = 24;
    private static final int PARTITIONS = 3;

    private ReplayRace() {}

    static void run(Servers servers, Cell.Kind kind) {
        String id = ("replay-race-" + kind + "-" + Cell.RUN).toLowerCase(Locale.ROOT);
        List<ReplayNode.Message> messages = IntStream.range(0, MESSAGES)
                .mapToObj(i -> new ReplayNode.Message("m" + i, new Position(id, i % PARTITIONS, i / PARTITIONS)))
                .toList();
        List<ReplayNode> nodes = Stream.generate(() -> new ReplayNode(
                        id, ConsistencyLevel.STRONG, kind, servers.dataSource(), ReplayHalt.withoutTurns()))
                .limit(4)
                .toList();
        nodes.get(0).request(messages);
        AtomicBoolean isDone = new AtomicBoolean();
        nodes.get(0).start();
        nodes.get(1).start();
        CompletableFuture<Void> consuming = CompletableFuture.runAsync(() -> {
            while (!isDone.get()) {
                messages.forEach(message -> deliver(nodes.get(2), message));
            }
        });
        CompletableFuture<Void> purging = CompletableFuture.runAsync(() -> {
            while (!isDone.get()) {
                nodes.get(3).purge();
            }
        });
        try {
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(50))
                    .until(
                            () -> Stream.of(0, 1)
                                    .map(i -> nodes.get(i).isDone())
                                    .toList(),
                            ended -> !ended.contains(false));
        } finally {
            isDone.set(true);
        }
        consuming.join();
        purging.join();
        nodes.forEach(ReplayNode::close);
        assertThat(nodes.get(0).replay().progress().left()).isZero();
        messages.forEach(message -> {
            Seen.Fate fate = nodes.get(0).fate(message.id());
            assertThat(fate.effects()).as("effects of " + message).isEqualTo(1);
            assertThat(fate.isQuarantined())
                    .as("still in quarantine: " + message)
                    .isFalse();
        });
    }

    /** A message behind the horizon may be refused; that is no effect. */
    private static void deliver(ReplayNode node, ReplayNode.Message message) {
        try {
            node.deliver(message);
        } catch (IdempotencyException refused) {
            assertThat(refused).hasMessageContaining(message.id());
        }
    }
}

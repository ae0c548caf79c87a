package io.idempotency;

import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.Transactions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Replays beside any quarantine, in the memory of a test. It freezes generations, and counts what has committed. Thread-safe. */
public final class FakeReplays implements ReplayStore {

    private static final int MOST = 10_000;

    private final QuarantineStore quarantine;
    private final Transactions transactions;
    private final Map<String, Running> replays = new LinkedHashMap<>();
    private final Map<Partition, String> turns = new HashMap<>();
    public final List<String> asked = new ArrayList<>();

    private static final class Running {
        private final ReplayRequest request;
        private final Map<MessageId, Long> frozen = new LinkedHashMap<>();
        private final Map<ReplayResult, Integer> counts = new EnumMap<>(ReplayResult.class);
        private Replay.Status status = Replay.Status.RUNNING;
        private Optional<String> stoppedBy = Optional.empty();
        private String group = "";
        private int inARow;

        Running(ReplayRequest request) {
            this.request = request;
        }

        int count(ReplayResult result) {
            return counts.getOrDefault(result, 0);
        }
    }

    public FakeReplays(QuarantineStore quarantine, Transactions transactions) {
        this.quarantine = quarantine;
        this.transactions = transactions;
    }

    @Override
    public ReplayPlan plan(ReplayRequest request) {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized Replay request(ReplayRequest request) {
        if (!replays.containsKey(request.id())) {
            Running running = new Running(request);
            quarantine
                    .list(request.selection().consumer(), MOST)
                    .forEach(id -> quarantine
                            .find(id)
                            .filter(kept -> request.selection().ids().isEmpty()
                                    || request.selection().ids().contains(id.value()))
                            .ifPresent(kept -> running.frozen.put(id, kept.generation())));
            replays.put(request.id(), running);
        }
        return find(request.id()).orElseThrow();
    }

    @Override
    public synchronized Optional<Replay> find(String id) {
        return Optional.ofNullable(replays.get(id))
                .map(running -> new Replay(
                        running.request,
                        running.request.selection().toString(),
                        running.status,
                        new Replay.Progress(
                                running.frozen.size(),
                                running.count(ReplayResult.PROCESSED),
                                running.count(ReplayResult.DUPLICATE),
                                running.count(ReplayResult.FAILED),
                                running.count(ReplayResult.UNREADABLE)),
                        Instant.EPOCH,
                        Optional.empty(),
                        running.stoppedBy));
    }

    @Override
    public synchronized List<Replay> list(String consumer, int limit) {
        return replays.keySet().stream()
                .limit(limit)
                .map(id -> find(id).orElseThrow())
                .toList();
    }

    @Override
    public synchronized List<Replay> running(String consumer) {
        asked.add("running");
        return list(consumer, MOST).stream()
                .filter(replay -> replay.status() == Replay.Status.RUNNING)
                .toList();
    }

    private Running get(String id) {
        return Objects.requireNonNull(replays.get(id));
    }

    private boolean change(String id, Replay.Status from, Replay.Status to) {
        Running running = replays.get(id);
        if (running == null || running.status != from) {
            return false;
        }
        running.status = to;
        return true;
    }

    @Override
    public synchronized boolean pause(String id) {
        return change(id, Replay.Status.RUNNING, Replay.Status.PAUSED);
    }

    @Override
    public synchronized boolean resume(String id) {
        return change(id, Replay.Status.PAUSED, Replay.Status.RUNNING);
    }

    @Override
    public synchronized boolean stop(String id, String why) {
        boolean isStopped = change(id, Replay.Status.RUNNING, Replay.Status.STOPPED)
                || change(id, Replay.Status.PAUSED, Replay.Status.STOPPED);
        if (isStopped) {
            get(id).stoppedBy = Optional.of(why);
        }
        return isStopped;
    }

    @Override
    public List<Partition> partitions(String id) {
        return left(id).stream()
                .map(item ->
                        new Partition(item.position().stream(), item.position().partition()))
                .distinct()
                .toList();
    }

    @Override
    public List<Item> next(String id, Partition partition, int limit) {
        return left(id).stream()
                .filter(item -> item.position().stream().equals(partition.stream())
                        && item.position().partition() == partition.number())
                .limit(limit)
                .toList();
    }

    /** Asks the quarantine outside of the monitor: it may wait for transactions that count. */
    private List<Item> left(String id) {
        Map<MessageId, Long> frozen;
        synchronized (this) {
            frozen = Map.copyOf(get(id).frozen);
        }
        List<Item> items = new ArrayList<>();
        frozen.forEach((message, generation) -> quarantine
                .find(message)
                .filter(kept -> kept.generation() == generation)
                .map(QuarantineEntry::message)
                .ifPresent(kept ->
                        items.add(new Item(message, generation, kept.delivery().position()))));
        items.sort(Comparator.<Item, String>comparing(item -> item.position().stream())
                .thenComparing(item -> item.position().partition())
                .thenComparing(item -> item.position().offset()));
        return items;
    }

    @Override
    public synchronized boolean takeTurn(String consumer, Partition partition, String node, Duration length) {
        return turns.computeIfAbsent(partition, key -> node).equals(node);
    }

    @Override
    public synchronized void endTurn(String consumer, Partition partition, String node) {
        turns.remove(partition, node);
    }

    /** Ends the turns of a node that has died. */
    public synchronized void passTurns() {
        turns.clear();
    }

    @Override
    public void count(String id, ReplayResult result, Optional<QuarantineFailure> failure) {
        if (transactions.isActive()) {
            transactions.afterCommit(() -> counted(id, result, failure));
        } else {
            counted(id, result, failure);
        }
    }

    private synchronized void counted(String id, ReplayResult result, Optional<QuarantineFailure> failure) {
        Running running = get(id);
        running.counts.merge(result, 1, Integer::sum);
        String group = failure.map(QuarantineFailure::group).orElse("");
        running.inARow = group.isEmpty() ? 0 : group.equals(running.group) ? running.inARow + 1 : 1;
        running.group = group;
        if (running.inARow >= running.request.stopAfter()) {
            stop(id, running.inARow + " equal failures in a row");
        }
    }

    @Override
    public synchronized boolean endIfDone(String id) {
        return change(id, Replay.Status.RUNNING, Replay.Status.DONE);
    }

    /** Returns how many messages have this result. */
    public synchronized int count(String id, ReplayResult result) {
        return get(id).count(result);
    }

    public synchronized Replay.Status status(String id) {
        return get(id).status;
    }
}

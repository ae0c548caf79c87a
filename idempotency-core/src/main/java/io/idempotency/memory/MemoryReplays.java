package io.idempotency.memory;

import io.idempotency.replay.Replay;
import io.idempotency.replay.Replay.Progress;
import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.ConflictException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps replays in memory, within the transactions of a {@link MemoryStore}, beside its {@link MemoryQuarantine}. Unbounded: a replay stays. Thread-safe.
 */
public final class MemoryReplays implements ReplayStore {

    private final MemoryStore store;
    private final MemoryQuarantine quarantine;
    private final MemoryTransactions transactions;
    private final MemoryTable<MemoryReplay> replays;
    private final MemoryTable<Member> members;
    private final Map<Turn, Holder> turns = new HashMap<>();

    /** The replay of a message, as long as the message has this generation. */
    private record Member(String replay, long generation) {}

    private record Turn(String consumer, Partition partition) {}

    private record Holder(String node, Instant until) {}

    /** Creates an empty store of replays. A quarantine has one at most. */
    public MemoryReplays(MemoryStore store, MemoryQuarantine quarantine) {
        this.store = store;
        this.quarantine = quarantine;
        this.transactions = store.memoryTransactions();
        this.replays = transactions.newTable();
        this.members = transactions.newTable();
        quarantine.replays(this::replayOf);
    }

    private Optional<String> replayOf(QuarantineEntry entry) {
        return transactions.exclusively(() -> {
            Member member = members.get(entry.message().delivery().id(), transactions.active());
            return Optional.ofNullable(member)
                    .filter(known -> known.generation() == entry.generation())
                    .map(Member::replay)
                    .filter(id -> get(id).filter(replay -> !replay.status().hasEnded())
                            .isPresent());
        });
    }

    private Optional<Replay> get(String id) {
        return Optional.ofNullable(replays.get(key(id), transactions.active())).map(MemoryReplay::replay);
    }

    private static MessageId key(String replay) {
        return new MessageId("replay", replay);
    }

    @Override
    public ReplayPlan plan(ReplayRequest request) {
        return transactions.exclusively(() -> {
            List<QuarantineEntry> free = free(request);
            Map<String, Long> byFailure = new HashMap<>();
            Map<String, Long> byPartition = new LinkedHashMap<>();
            for (QuarantineEntry entry : free) {
                byFailure.merge(entry.message().failure().type(), 1L, Long::sum);
                byPartition.merge(partition(entry.message().delivery().position()), 1L, Long::sum);
            }
            return new ReplayPlan(
                    free.size(),
                    quarantine.chosen(request.selection()).stream()
                            .filter(entry -> entry.replay().isPresent())
                            .count(),
                    free.stream().filter(MemoryReplays::isWithoutBytes).count(),
                    free.stream()
                            .filter(entry ->
                                    store.isProcessed(entry.message().delivery().id()))
                            .count(),
                    QuarantineCount.sorted(byFailure),
                    byPartition,
                    free.stream().map(QuarantineEntry::firstAt).min(Comparator.naturalOrder()));
        });
    }

    private List<QuarantineEntry> free(ReplayRequest request) {
        return quarantine.chosen(request.selection()).stream()
                .filter(entry -> entry.replay().isEmpty())
                .limit(request.selection().limit())
                .toList();
    }

    private static String partition(Position position) {
        return position.equals(Position.UNKNOWN) ? position.toString() : position.stream() + "-" + position.partition();
    }

    private static boolean isWithoutBytes(QuarantineEntry entry) {
        Origin origin = entry.message().payload().origin();
        return origin == Origin.POSITION_ONLY || origin == Origin.SWITCHED_OFF;
    }

    @Override
    public Replay request(ReplayRequest request) {
        if (!transactions.isActive()) {
            Replay[] result = new Replay[1];
            transactions.inTransaction(() -> result[0] = request(request));
            return result[0];
        }
        // Waits for another request with this id.
        change(request.id(), replay -> replay);
        return find(request.id()).map(replay -> replay.askedAgain(request)).orElseGet(() -> begin(request));
    }

    private Replay begin(ReplayRequest request) {
        long total = free(request).stream()
                .filter(entry -> join(entry, request.id()))
                .count();
        if (total == 0) {
            throw new ConflictException("There is nothing to replay: the quarantine has no " + request.selection()
                    + " beside those of the replays "
                    + quarantine.chosen(request.selection()).stream()
                            .flatMap(entry -> entry.replay().stream())
                            .collect(Collectors.toSet()));
        }
        Replay replay = new Replay(
                request,
                request.selection().toString(),
                Status.RUNNING,
                new Progress(total, 0, 0, 0, 0),
                store.clock().instant(),
                Optional.empty(),
                Optional.empty());
        transactions.changing(
                replays,
                key(request.id()),
                transaction -> replays.change(key(request.id()), new MemoryReplay(replay, 0, ""), transaction));
        return replay;
    }

    /** Makes a message a member, unless it has become one of another replay while this one waited. */
    private boolean join(QuarantineEntry entry, String replay) {
        MessageId id = entry.message().delivery().id();
        transactions.changing(members, id, transaction -> {
            if (replayOf(entry).isEmpty()) {
                members.change(id, new Member(replay, entry.generation()), transaction);
            }
        });
        Member member = transactions.exclusively(() -> members.get(id, transactions.active()));
        return member != null && member.replay().equals(replay);
    }

    @Override
    public Optional<Replay> find(String id) {
        return transactions.exclusively(() -> get(id));
    }

    @Override
    public List<Replay> list(String consumer, int limit) {
        return transactions.exclusively(() -> replays.all(transactions.active()).values().stream()
                .map(MemoryReplay::replay)
                .filter(replay -> replay.request().selection().consumer().equals(consumer))
                .sorted(Comparator.comparing(Replay::requestedAt).reversed())
                .limit(limit)
                .toList());
    }

    @Override
    public boolean pause(String id) {
        return change(id, replay -> replay.moved(Status.RUNNING, Status.PAUSED));
    }

    @Override
    public boolean resume(String id) {
        return change(id, replay -> replay.moved(Status.PAUSED, Status.RUNNING));
    }

    @Override
    public boolean stop(String id, String why) {
        return change(id, replay -> replay.ended(Status.STOPPED, store.clock().instant(), Optional.of(why)));
    }

    /** Changes a replay. Returns whether its status is another one then. */
    private boolean change(String id, UnaryOperator<MemoryReplay> change) {
        boolean[] isMoved = new boolean[1];
        transactions.changing(replays, key(id), transaction -> {
            @Nullable MemoryReplay before = replays.get(key(id), transaction);
            MemoryReplay after = before == null ? null : change.apply(before);
            replays.change(key(id), after, transaction);
            isMoved[0] = before != null
                    && after != null
                    && before.replay().status() != after.replay().status();
        });
        return isMoved[0];
    }

    @Override
    public List<Replay> running(String consumer) {
        return list(consumer, Integer.MAX_VALUE).stream()
                .filter(replay -> replay.status() == Status.RUNNING)
                .sorted(Comparator.comparing(Replay::requestedAt))
                .toList();
    }

    @Override
    public List<Partition> partitions(String id) {
        return left(id).stream()
                .map(entry -> entry.message().delivery().position())
                .map(position -> new Partition(position.stream(), position.partition()))
                .distinct()
                .toList();
    }

    @Override
    public List<Item> next(String id, Partition partition, int limit) {
        boolean isRunning =
                find(id).filter(replay -> replay.status() == Status.RUNNING).isPresent();
        return left(id).stream()
                .filter(entry -> isRunning)
                .map(entry -> new Item(
                        entry.message().delivery().id(),
                        entry.generation(),
                        entry.message().delivery().position()))
                .filter(item -> item.position().stream().equals(partition.stream())
                        && item.position().partition() == partition.number())
                .limit(limit)
                .toList();
    }

    private List<QuarantineEntry> left(String id) {
        return find(id).map(replay -> quarantine.chosen(replay.request().selection())).stream()
                .flatMap(List::stream)
                .filter(entry -> entry.replay().filter(id::equals).isPresent())
                .toList();
    }

    @Override
    public boolean takeTurn(String consumer, Partition partition, String node, Duration length) {
        transactions.refuseActive("Taking a turn");
        return transactions.exclusively(() -> {
            Instant now = store.clock().instant();
            Holder holder = turns.get(new Turn(consumer, partition));
            boolean isFree = holder == null
                    || holder.node().equals(node)
                    || !holder.until().isAfter(now);
            if (isFree) {
                turns.put(new Turn(consumer, partition), new Holder(node, now.plus(length)));
            }
            return isFree;
        });
    }

    @Override
    public void endTurn(String consumer, Partition partition, String node) {
        transactions.refuseActive("Ending a turn");
        transactions.exclusively(() -> {
            Turn turn = new Turn(consumer, partition);
            Holder holder = turns.get(turn);
            return holder != null && holder.node().equals(node) && turns.remove(turn, holder);
        });
    }

    @Override
    public void count(String id, ReplayResult result, Optional<QuarantineFailure> failure) {
        change(id, replay -> replay.counted(result, failure, store.clock().instant()));
    }

    @Override
    public boolean endIfDone(String id) {
        if (left(id).isEmpty()) {
            change(
                    id,
                    replay -> replay.replay().status() == Status.RUNNING
                            ? replay.ended(
                                    Status.DONE,
                                    store.clock().instant(),
                                    replay.replay().progress().whyLeft())
                            : replay);
        }
        return find(id).filter(replay -> !replay.status().hasEnded()).isEmpty();
    }
}

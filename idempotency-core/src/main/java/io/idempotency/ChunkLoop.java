package io.idempotency;

import io.idempotency.store.IdempotencyException;
import java.util.List;
import java.util.Optional;

/** Takes the messages of one call through the level, chunk by chunk, until each is settled or its partition is stopped. Thread-safe. */
final class ChunkLoop<M> {

    private final Settings<M> settings;
    private final Flow<M> flow;
    private final Level<M> level;
    private final Scopes<M> scopes;
    private final Resends<M> resends;

    ChunkLoop(Flow<M> flow, Level<M> level, Scopes<M> scopes) {
        this.settings = flow.settings();
        this.flow = flow;
        this.level = level;
        this.scopes = scopes;
        this.resends = new Resends<>(flow);
    }

    /** Runs the messages, inside the transaction of the caller if there is one. */
    BatchResult run(List<Item<M>> items, Handling<M> handling) {
        boolean isJoining = settings.storage().store().transactions().isActive();
        if (!isJoining) {
            // The caller's transaction may have forgotten what is known to all others.
            if (flow.known().isKept()) {
                items.forEach(this::skipKnown);
            }
            resends.await(items);
        }
        Poll<M> poll =
                new Poll<>(items, isJoining ? Poll.NO_LIMIT : settings.chunks().time(), flow.nanoTime());
        try {
            if (isJoining) {
                join(poll, handling);
            } else {
                run(poll, handling);
            }
        } finally {
            poll.interruptAgain();
        }
        return poll.result();
    }

    private void skipKnown(Item<M> item) {
        if (settings.level() == ConsistencyLevel.NONE || item.unreadable().isPresent()) {
            return;
        }
        flow.known().find(item.delivery().id()).ifPresent(known -> {
            Duplicate duplicate = Duplicate.of(item.delivery().position(), known.position(), known.age());
            if (resends.concern(duplicate)) {
                return;
            }
            item.outcome(Outcome.DUPLICATE);
            flow.reports().settled(item, Outcome.DUPLICATE, 0, Optional.of(duplicate));
        });
    }

    private void run(Poll<M> poll, Handling<M> handling) {
        int most = most(handling);
        Refusals<M> refusals = new Refusals<>(poll, flow);
        List<Item<M>> chunk = poll.nextChunk(flow.lanes(), flow.suspects(), most);
        while (!chunk.isEmpty()) {
            List<Item<M>> together = scopes.together(chunk);
            Item<M> first = together.get(0);
            scopes.within(
                    first,
                    () -> work(poll, together, handling, refusals),
                    failure -> flow.charge(poll, first, failure));
            if (poll.isOutOfTime()) {
                poll.stopRest();
            }
            chunk = poll.nextChunk(flow.lanes(), flow.suspects(), most);
        }
        if (!flow.suspects().isEmpty()) {
            flow.suspects().settled(poll.settledLanes(), settings.chunks().records());
        }
        refusals.tell();
    }

    /** Returns how many messages a chunk may have. A handler that has ever committed early gets a transaction for each message. */
    private int most(Handling<M> handling) {
        boolean isOneEach = settings.chunks().per() == TransactionPer.RECORD
                || (!handling.isBatch() && flow.reports().isCommittedEarly());
        return isOneEach && level.joining().isPresent() ? 1 : settings.chunks().records();
    }

    private void work(Poll<M> poll, List<Item<M>> chunk, Handling<M> handling, Refusals<M> refusals) {
        Item<M> first = chunk.get(0);
        Optional<Throwable> failure = flow.knownFailure(first);
        if (failure.isPresent()) {
            flow.charge(poll, first, failure.get());
            flow.keyOrder().ifPresent(order -> order.settled(chunk));
            return;
        }
        refusals.work(level, chunk, handling);
        resends.check(poll, chunk);
        flow.keyOrder().ifPresent(order -> order.settled(chunk));
        if (!flow.lanes().isEmpty()) {
            poll.settledLanes(chunk)
                    .forEach(lane -> flow.lanes().grow(lane, settings.chunks().records()));
        }
    }

    private void join(Poll<M> poll, Handling<M> handling) {
        if (flow.keyOrder().isPresent()) {
            throw new IdempotencyException("Consumer " + settings.name()
                    + " keeps the order of keys, and so cannot run inside a transaction: it reads which keys are in quarantine before"
                    + " a transaction begins. Call it outside");
        }
        Level<M> joining = level.joining()
                .orElseThrow(
                        () -> new IdempotencyException(
                                "Consumer " + settings.name() + " at level "
                                        + settings.level()
                                        + " cannot run inside a transaction: only STRONG takes part in one. Call it outside, or use STRONG"));
        List<Item<M>> chunk = poll.nextChunk(flow.lanes(), flow.suspects(), Integer.MAX_VALUE);
        while (!chunk.isEmpty()) {
            if (chunk.get(0).unreadable().isPresent()) {
                throw Sneaky.unchecked(chunk.get(0).unreadable().get());
            }
            joining.work(poll, chunk, handling);
            chunk = poll.nextChunk(flow.lanes(), flow.suspects(), Integer.MAX_VALUE);
        }
    }
}

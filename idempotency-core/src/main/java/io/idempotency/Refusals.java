package io.idempotency;

import io.idempotency.store.StandStillException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Collects the partitions of one call that the store refuses for good, for example after their offsets were reset to messages that it no longer
 * remembers. They stand still; others go on. Confined to the consuming thread.
 */
final class Refusals<M> {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final Poll<M> poll;
    private final Flow<M> flow;
    private final Map<Item<?>, StoreFailure> refused = new LinkedHashMap<>();
    /** Items at which their partitions stood before. */
    private final Set<Item<?>> again = new HashSet<>();

    Refusals(Poll<M> poll, Flow<M> flow) {
        this.poll = poll;
        this.flow = flow;
    }

    /** Works on a chunk. If the store refuses it, works partition by partition, so that only refused partitions stand still. */
    void work(Level<M> level, List<Item<M>> chunk, Handling<M> handling) {
        try {
            level.work(poll, chunk, handling);
        } catch (StoreFailure failure) {
            failure.stopped().forEach(item -> refused.put(item, failure));
            Map<Lane, List<Item<M>>> lanes = new LinkedHashMap<>();
            poll.open(chunk)
                    .forEach(item -> lanes.computeIfAbsent(item.lane(), lane -> new ArrayList<>())
                            .add(item));
            if (lanes.size() > 1 && !poll.isOutOfTime()) {
                lanes.values().forEach(items -> work(level, items, handling));
            } else {
                lanes.values().forEach(items -> stop(items.get(0), failure));
            }
        }
    }

    private void stop(Item<M> item, StoreFailure failure) {
        refused.put(item, failure);
        poll.stop(item, IdempotentConsumer.STAND_STILL, Optional.of(failure));
        if (!flow.reports().refused(item, failure)) {
            again.add(item);
        }
    }

    /**
     * Logs the refused partitions; if the store names the reason, once for each stop.
     *
     * @throws StoreFailure if the call had no other result, and the store may not be usable at all
     */
    void tell() {
        for (StoreFailure failure : refused.values()) {
            if (!(failure.getCause() instanceof StandStillException) && poll.hasComeToNothing(refused.keySet())) {
                throw failure;
            }
        }
        refused.forEach(this::tell);
    }

    private void tell(Item<?> item, StoreFailure failure) {
        if (failure.getCause() instanceof StandStillException why) {
            log.atLevel(again.contains(item) ? org.slf4j.event.Level.DEBUG : org.slf4j.event.Level.ERROR)
                    .log(
                            "Partition {} stands still at {}: {}. It is tried again every {} s. Nothing behind it is lost.",
                            item.lane(),
                            item.delivery(),
                            why.getMessage(),
                            IdempotentConsumer.STAND_STILL.toSeconds());
            return;
        }
        log.error(
                "Partition {} stands still at {}; it is tried again every {} s. Nothing behind it is lost.",
                item.lane(),
                item.delivery(),
                IdempotentConsumer.STAND_STILL.toSeconds(),
                FailureText.loggable(Objects.requireNonNullElse(failure.getCause(), failure)));
    }
}

package io.idempotency;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The partitions of one call that the store refuses for good, such as one whose offsets were reset to before what is remembered. They stand still;
 * others go on. Confined to the consuming thread.
 */
final class Refusals<M> {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final Poll<M> poll;
    private final Flow<M> flow;
    private final Map<Item<?>, StoreFailure> refused = new LinkedHashMap<>();

    Refusals(Poll<M> poll, Flow<M> flow) {
        this.poll = poll;
        this.flow = flow;
    }

    /** Works on a chunk; if the store refuses it, partition by partition, so that only those stand still that it refuses. */
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
        flow.reports().refused(item, failure);
    }

    /**
     * Tells of the refused partitions.
     *
     * @throws StoreFailure if nothing else came of the call
     */
    void tell() {
        if (!refused.isEmpty() && poll.hasComeToNothing(refused.keySet())) {
            throw refused.values().iterator().next();
        }
        refused.forEach((item, failure) -> log.error(
                "Partition {} stands still at {}; it is tried again every {} s. Nothing behind it is lost.",
                item.lane(),
                item.delivery(),
                IdempotentConsumer.STAND_STILL.toSeconds(),
                FailureText.loggable(Objects.requireNonNullElse(failure.getCause(), failure))));
    }
}

package io.idempotency.kafka;

import io.idempotency.BatchResult;
import io.idempotency.Outcome;
import io.idempotency.Stop;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Settles every record but those it was told to fail. */
final class ScriptedBound implements BoundConsumer<String, String> {

    final List<Position> handled = new ArrayList<>();
    final List<Position> rejected = new ArrayList<>();
    final List<TopicPartition> revoked = new ArrayList<>();
    final Map<Position, Duration> failing = new HashMap<>();
    /** What is thrown for any call that has a record of the partition. */
    final Map<TopicPartition, Error> throwing = new HashMap<>();

    Optional<String> rejectedId = Optional.empty();
    Payload rejectedPayload = Payload.none(Payload.Origin.POSITION_ONLY);
    boolean isTransactionActive;

    @Nullable
    Error error;

    Runnable beforeConsume = () -> {};

    @Override
    public String name() {
        return "billing";
    }

    @Override
    public String describe() {
        return "billing (scripted)";
    }

    @Override
    public Duration chunkTime() {
        return Duration.ofSeconds(75);
    }

    @Override
    public boolean isTransactionActive() {
        return isTransactionActive;
    }

    @Override
    public BatchResult consume(List<ConsumerRecord<String, String>> records) {
        beforeConsume.run();
        if (error != null) {
            throw error;
        }
        records.forEach(record -> failIfScripted(KafkaRecords.partition(record)));
        List<Outcome> outcomes = new ArrayList<>();
        List<Stop> stops = new ArrayList<>();
        Set<TopicPartition> stopped = new HashSet<>();
        for (int i = 0; i < records.size(); i++) {
            Position position = KafkaRecords.position(records.get(i));
            TopicPartition partition = KafkaRecords.partition(records.get(i));
            Duration retryAfter = failing.get(position);
            if (retryAfter != null && stopped.add(partition)) {
                stops.add(new Stop(i, retryAfter, Optional.of(new IllegalStateException("scripted")), true));
            }
            boolean isSettled = !stopped.contains(partition);
            outcomes.add(isSettled ? Outcome.PROCESSED : Outcome.RELEASED);
            if (isSettled) {
                handled.add(position);
            }
        }
        return new BatchResult(outcomes, stops);
    }

    @Override
    public void revoked(TopicPartition partition) {
        revoked.add(partition);
    }

    @Override
    public BatchResult reject(Position position, Optional<String> messageId, Payload payload, Throwable cause) {
        failIfScripted(new TopicPartition(position.stream(), position.partition()));
        rejected.add(position);
        rejectedId = messageId;
        rejectedPayload = payload;
        Duration retryAfter = failing.get(position);
        return retryAfter == null
                ? new BatchResult(List.of(Outcome.QUARANTINED), List.of())
                : new BatchResult(
                        List.of(Outcome.RELEASED), List.of(new Stop(0, retryAfter, Optional.of(cause), true)));
    }

    private void failIfScripted(TopicPartition partition) {
        Error thrown = throwing.get(partition);
        if (thrown != null) {
            throw thrown;
        }
    }
}

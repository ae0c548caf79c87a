package io.idempotency.streams;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StoredId;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.query.KeyQuery;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.query.StateQueryRequest;
import org.jspecify.annotations.Nullable;

/** Asks the stores of this process by interactive queries. Thread-safe. */
record Lookup(KafkaStreams streams, DeduplicationSettings<?> settings) {

    Explained explain(MessageId id) {
        Map<Integer, Explained.First> remembered = new HashMap<>();
        Map<Integer, String> failed = new HashMap<>();
        Set<Integer> asked = new HashSet<>();
        results(Bytes.wrap(StoredId.toBytes(StoredId.of(id.value())))).forEach((partition, result) -> {
            if (result.isFailure()) {
                failed.put(
                        partition,
                        result.getFailureMessage().lines().findFirst().orElse(""));
                return;
            }
            asked.add(partition);
            byte[] entry = result.getResult();
            if (entry != null) {
                remembered.put(partition, first(Seen.of(entry), partition));
            }
        });
        return new Explained(id, remembered, asked, failed);
    }

    private Explained.First first(Seen seen, int partition) {
        Position position = TopicNames.name(seen.topic(), key -> ask(key, partition))
                .map(topic -> new Position(topic, seen.partition(), seen.offset()))
                .orElse(Position.UNKNOWN);
        Instant at = Instant.ofEpochMilli(seen.wallTime());
        return new Explained.First(
                position, at, Instant.ofEpochMilli(seen.streamTime()), at.plus(settings.retention()));
    }

    private byte @Nullable [] ask(Bytes key, int partition) {
        return Optional.ofNullable(results(key).get(partition))
                .filter(QueryResult::isSuccess)
                .map(QueryResult::getResult)
                .orElse(null);
    }

    private Map<Integer, QueryResult<byte[]>> results(Bytes key) {
        try {
            return streams.query(
                            StateQueryRequest.inStore(settings.name()).withQuery(KeyQuery.<Bytes, byte[]>withKey(key)))
                    .getPartitionResults();
        } catch (StreamsException | IllegalStateException e) {
            throw new IdempotencyException(
                    "The state store " + settings.name()
                            + " cannot be asked. Is it in the topology, and does the application run?",
                    e);
        }
    }
}

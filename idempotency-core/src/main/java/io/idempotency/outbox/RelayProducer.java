package io.idempotency.outbox;

import io.idempotency.store.Payload.Header;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Sends a batch of outputs, and waits for Kafka's acknowledgments. The producer is idempotent and never gives up a record by itself. So in each partition
 * the acknowledged records come before the others. After a failure the producer is closed with all that it has not sent, and the next batch gets a
 * new one. Only {@link #close} may be called by another thread.
 */
final class RelayProducer {

    private static final String BLOCK_MILLIS = "10000";

    /** A broker that knows nothing of the producer takes any request for the first one: the second, if it was not yet the leader at the first. */
    private static final int MOST_IN_FLIGHT = 1;

    private static final int MOST_ABSENT = 1_000;
    private static final long ASK_AGAIN_NANOS = 1_000_000_000L;

    /** Failures of a record, not of its request, that a second try cannot mend. */
    private static final Set<Class<? extends Exception>> FOR_GOOD =
            Set.of(RecordTooLargeException.class, InvalidTopicException.class, TopicAuthorizationException.class);

    /** Failures that have nothing to do with a record. */
    private static final List<Class<? extends Exception>> OF_PRODUCER = List.of(
            AuthenticationException.class,
            AuthorizationException.class,
            OutOfOrderSequenceException.class,
            InvalidProducerEpochException.class,
            ProducerFencedException.class,
            UnknownServerException.class,
            UnsupportedVersionException.class);

    private final Map<String, Object> kafka;
    private final Duration patience;
    private volatile @Nullable Producer<byte[], byte[]> producer;
    private volatile boolean isClosed;
    /** Whether outputs are sent one by one, because Kafka refused a request with several, and did not say which one is to blame. */
    private boolean isOneByOne;
    /** Topics and partitions that do not exist, and when Kafka is asked again. A producer would wait in vain at each of their outputs, and all others with it. */
    private final Map<String, Long> absent = new HashMap<>();

    RelayProducer(Map<String, Object> given, Duration patience) {
        this.patience = patience;
        this.kafka = new HashMap<>(given);
        kafka.putIfAbsent(ProducerConfig.MAX_BLOCK_MS_CONFIG, BLOCK_MILLIS);
        kafka.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        kafka.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        kafka.put(ProducerConfig.ACKS_CONFIG, "all");
        kafka.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        // A record that expires would be overtaken by later ones of its key.
        kafka.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.MAX_VALUE);
        kafka.put(ProducerConfig.RETRIES_CONFIG, Integer.MAX_VALUE);
        kafka.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, MOST_IN_FLIGHT);
        kafka.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        // It would be given bytes instead of the application's keys.
        kafka.remove(ProducerConfig.PARTITIONER_CLASS_CONFIG);
        kafka.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
        // Interceptors may give records other ids.
        kafka.remove(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG);
    }

    /** Begins a batch. */
    Round begin() {
        return new Round();
    }

    private Producer<byte[], byte[]> current() {
        Producer<byte[], byte[]> known = producer;
        if (known == null) {
            known = new KafkaProducer<>(kafka);
            producer = known;
            if (isClosed) {
                reset();
            }
        }
        return known;
    }

    /** An output that the producer has. */
    private record InFlight(StoredOutput output, Future<?> future) {}

    /** The outputs of one batch. If it is closed before they are awaited, the producer is closed with what is not sent. */
    final class Round implements OutboxStore.Sending, AutoCloseable {

        private final List<InFlight> inFlight = new ArrayList<>();
        private final List<StoredOutput> acknowledged = new ArrayList<>();
        private final Map<StoredOutput, String> refused = new LinkedHashMap<>();
        private @Nullable Producer<byte[], byte[]> to;
        private long end;
        private boolean isUnclear;
        private @Nullable RuntimeException failure;
        private @Nullable Sent sent;

        @Override
        public void add(List<StoredOutput> outputs) {
            if (to == null) {
                to = current();
                end = System.nanoTime() + patience.toNanos();
            }
            for (StoredOutput each : outputs) {
                if (failure != null) {
                    break;
                }
                if (isKnownToBeAbsent(each.output())) {
                    refused.put(each, RelayTopics.absent(place(each.output())));
                    continue;
                }
                if (System.nanoTime() - end > 0) {
                    continue;
                }
                Future<?> future = send(to, each);
                if (future != null && (isOneByOne || future.isDone())) {
                    await(each, future);
                } else if (future != null) {
                    inFlight.add(new InFlight(each, future));
                }
            }
        }

        @Override
        public Sent await() {
            boolean isDone = false;
            try {
                inFlight.forEach(each -> await(each.output(), each.future()));
                isDone = failure == null;
            } finally {
                if (!isDone) {
                    reset();
                }
            }
            isOneByOne = isUnclear;
            sent = new Sent(acknowledged, refused, failure);
            return sent;
        }

        /** Returns what became of the outputs; empty if there were none. */
        Optional<Sent> sent() {
            return Optional.ofNullable(sent);
        }

        @Override
        public void close() {
            if (to != null && sent == null) {
                reset();
            }
        }

        private @Nullable Future<?> send(Producer<byte[], byte[]> producer, StoredOutput output) {
            try {
                return producer.send(record(output.output()));
            } catch (IllegalArgumentException e) {
                refused.put(output, e.toString());
            } catch (RuntimeException e) {
                fail(e);
            }
            return null;
        }

        private void await(StoredOutput output, Future<?> sent) {
            try {
                sent.get(failure == null ? Math.max(0, end - System.nanoTime()) : 0, TimeUnit.NANOSECONDS);
                acknowledged.add(output);
            } catch (ExecutionException e) {
                failed(output, Objects.requireNonNullElse(e.getCause(), e));
            } catch (TimeoutException e) {
                fail(new TransientStoreException(
                        "Kafka has not acknowledged " + output.output() + " for " + patience, e));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                fail(new TransientStoreException("Interrupted while sending", e));
            }
        }

        private void failed(StoredOutput output, Throwable cause) {
            if (FOR_GOOD.contains(cause.getClass()) || (isOneByOne && isToBlame(cause))) {
                refused.put(output, cause.toString());
            } else if (cause instanceof org.apache.kafka.common.errors.TimeoutException
                    && RelayTopics.isAbsent(kafka, output.output())) {
                noteAbsent(output.output());
                refused.put(output, RelayTopics.absent(place(output.output())));
            } else {
                isUnclear |= !(cause instanceof RetriableException) && !isClosed;
                fail(new TransientStoreException("Could not send " + output.output() + " for now: " + cause, cause));
            }
        }

        private void fail(RuntimeException first) {
            failure = failure == null ? first : failure;
        }
    }

    private boolean isKnownToBeAbsent(Output output) {
        Long again = absent.get(place(output));
        if (again == null || System.nanoTime() - again < 0) {
            return again != null;
        }
        absent.remove(place(output));
        if (RelayTopics.isAbsent(kafka, output)) {
            noteAbsent(output);
            return true;
        }
        return false;
    }

    private void noteAbsent(Output output) {
        if (absent.size() >= MOST_ABSENT) {
            absent.clear();
        }
        absent.put(place(output), System.nanoTime() + ASK_AGAIN_NANOS);
    }

    /** Returns whether the record must be the reason for the failure, because it was alone and nothing is wrong with the producer. */
    private static boolean isToBlame(Throwable cause) {
        return cause instanceof ApiException
                && !(cause instanceof RetriableException)
                && OF_PRODUCER.stream().noneMatch(type -> type.isInstance(cause));
    }

    private static String place(Output output) {
        return output.topic() + (output.partition() == null ? "" : ", partition " + output.partition() + ",");
    }

    private static ProducerRecord<byte[], byte[]> record(Output output) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                output.topic(), output.partition(), output.timestamp(), output.key(), output.value());
        for (Header header : output.headers()) {
            record.headers().add(header.name(), header.value());
        }
        return record;
    }

    private void reset() {
        Producer<byte[], byte[]> used = producer;
        producer = null;
        if (used != null) {
            used.close(Duration.ZERO);
        }
    }

    /** Gives up what is not sent. */
    void close() {
        isClosed = true;
        reset();
    }
}

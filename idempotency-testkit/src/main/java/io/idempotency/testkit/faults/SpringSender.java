package io.idempotency.testkit.faults;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.FailureText;
import io.idempotency.kafka.MessageIds;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.SendResult;

/** Sends the messages of a test, and copies of them with the same ids. */
final class SpringSender {

    private final KafkaTemplate<Object, Object> template;
    /** The messages by their ids. */
    private final Map<String, Application.Sent> messages = new LinkedHashMap<>();

    @SuppressWarnings("unchecked")
    SpringSender(KafkaTemplate<?, ?> template, List<Application.Sent> sent) {
        this.template = (KafkaTemplate<Object, Object>) template;
        for (Application.Sent message : sent) {
            String own = message.headers().get(MessageIds.HEADER);
            messages.put(own == null ? UUID.randomUUID().toString() : own, message);
        }
    }

    /** The offsets of messages that were sent: the first one of each partition, and the one behind the last. */
    record Offsets(Map<TopicPartition, Long> firsts, Map<TopicPartition, Long> ends) {}

    Set<String> ids() {
        return messages.keySet();
    }

    Set<String> topics() {
        return messages.values().stream().map(Application.Sent::topic).collect(Collectors.toSet());
    }

    /** Returns all partitions of the topics. */
    Set<TopicPartition> partitions() {
        return topics().stream()
                .flatMap(topic -> template.partitionsFor(topic).stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .collect(Collectors.toSet());
    }

    /** Sends each message, and waits until the broker has them. */
    Offsets send() {
        List<CompletableFuture<SendResult<Object, Object>>> sending = template.isTransactional()
                ? Objects.requireNonNull(template.executeInTransaction(operations -> messages.entrySet().stream()
                        .map(each -> operations.send(record(each.getKey(), each.getValue())))
                        .toList()))
                : messages.entrySet().stream()
                        .map(each -> sending(each.getKey(), each.getValue()))
                        .toList();
        Map<TopicPartition, Long> firsts = new HashMap<>();
        Map<TopicPartition, Long> ends = new HashMap<>();
        for (CompletableFuture<SendResult<Object, Object>> each : sending) {
            RecordMetadata at = sent(each);
            TopicPartition partition = new TopicPartition(at.topic(), at.partition());
            firsts.merge(partition, at.offset(), Math::min);
            ends.merge(partition, at.offset() + 1, Math::max);
        }
        return new Offsets(firsts, ends);
    }

    private CompletableFuture<SendResult<Object, Object>> sending(String id, Application.Sent message) {
        try {
            return template.send(record(id, message));
        } catch (KafkaException | org.springframework.kafka.KafkaException | ClassCastException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static RecordMetadata sent(CompletableFuture<SendResult<Object, Object>> sending) {
        try {
            return sending.join().getRecordMetadata();
        } catch (CompletionException e) {
            throw new MisuseException(
                    "The KafkaTemplate of the application cannot send the message: "
                            + FailureText.lineWithCause(Objects.requireNonNullElse(e.getCause(), e)),
                    e);
        }
    }

    private static ProducerRecord<Object, Object> record(String id, Application.Sent message) {
        ProducerRecord<Object, Object> record = new ProducerRecord<>(message.topic(), message.key(), message.value());
        record.headers().add(MessageIds.HEADER, id.getBytes(UTF_8));
        message.headers().forEach((name, value) -> {
            if (!name.equals(MessageIds.HEADER)) {
                record.headers().add(name, value.getBytes(UTF_8));
            }
        });
        return record;
    }
}

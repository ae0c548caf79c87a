package io.idempotency.kafka;

import static io.idempotency.kafka.ScriptedConsumer.P0;
import static io.idempotency.kafka.ScriptedConsumer.P1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a processor does with a record that cannot be deserialized. */
class RejectionTest {

    private static final Position BAD = new Position("orders", 0, 7);

    private final AtomicLong nanos = new AtomicLong();
    private final ScriptedBound flow = new ScriptedBound();
    private final RecordProcessor<String, String> processor =
            new RecordProcessor<>(flow, MessageIds.defaults(), nanos::get);
    private final ScriptedConsumer consumer = new ScriptedConsumer(P0, P1);
    private final Headers headers = new RecordHeaders();

    @Test
    void goesOnBehindARecordThatIsSettled() {
        consumer.seek(P0, 7);
        reject();

        assertThat(consumer.position(P0)).isEqualTo(8);
        assertThat(consumer.committed(P0)).isEqualTo(8);
        assertThat(consumer.paused()).isEmpty();
    }

    @Test
    @Tag("rule-5.6")
    @Tag("rule-7.5")
    void makesAnIdWhenItCannotBeExtracted() {
        RecordProcessor<String, String> failing = processor.rejectedMessageId(record -> {
            throw new AssertionError("no id");
        });
        consumer.seek(P0, 7);
        failing.reject(consumer, failure());

        assertThat(flow.rejectedId.orElseThrow()).startsWith("~none~orders-0@7~");
        assertThat(flow.rejected).containsExactly(BAD);
        assertThat(consumer.position(P0)).isEqualTo(8);
    }

    @Test
    @Tag("rule-7.5")
    void forgesNoLineOfTheLogWhenTheIdIsToBeHadLater() {
        RecordProcessor<String, String> failing = processor.rejectedMessageId(record -> {
            throw new TransientStoreException("down\n2026-01-01 ERROR forged");
        });
        try (LogCapture logs = new LogCapture()) {
            failing.reject(consumer, failure());

            assertThat(logs.warnings())
                    .singleElement()
                    .asString()
                    .contains("[orders-0] wait 1 s", "down\\u000A2026-01-01 ERROR forged");
            assertThat(logs.traces()).isEmpty();
        }
        assertThat(consumer.paused()).containsExactly(P0);
    }

    @Test
    void standsStillAtARecordThatIsNotSettled() {
        flow.failing.put(BAD, Duration.ofSeconds(30));
        consumer.seek(P0, 7);
        reject();

        assertThat(consumer.position(P0)).isEqualTo(7);
        assertThat(consumer.committed(P0)).isEqualTo(7);
        assertThat(consumer.paused()).containsExactly(P0);
    }

    @Test
    void chargesARecordOnlyWhenItsBackOffIsOver() {
        flow.failing.put(BAD, Duration.ofSeconds(30));
        reject();
        consumer.reassign();
        consumer.reassign(P0, P1);
        reject();
        assertThat(flow.rejected).hasSize(1);
        assertThat(consumer.paused()).containsExactly(P0);

        nanos.addAndGet(Duration.ofSeconds(30).toNanos());
        reject();
        assertThat(flow.rejected).hasSize(2);
    }

    @Test
    @Tag("rule-5.2")
    void commitsTheOffsetOfARecordThatIsTheFirstOfItsPartition() {
        flow.failing.put(BAD, Duration.ofSeconds(30));
        reject();

        assertThat(consumer.committed(P0)).isEqualTo(7);
    }

    @Test
    void handsOverBytesHeadersAndId() {
        headers.add("message-id", "a-1".getBytes(UTF_8));
        reject();

        assertThat(flow.rejectedId).contains("a-1");
        assertThat(flow.rejectedPayload.key()).asString(UTF_8).isEqualTo("k");
        assertThat(flow.rejectedPayload.value()).asString(UTF_8).isEqualTo("v");
        assertThat(flow.rejectedPayload.origin()).isEqualTo(Payload.Origin.RAW);
        assertThat(flow.rejectedPayload.headers()).hasSize(1);
    }

    @Test
    @Tag("rule-2.8")
    void makesAnIdWhenThereIsNoneThatCanBeUsed() {
        headers.add("message-id", new byte[] {(byte) 0xff});
        reject();

        assertThat(flow.rejectedId.orElseThrow()).startsWith("~none~orders-0@7~");
        assertThat(flow.rejected).containsExactly(BAD);
    }

    @Test
    void looksForTheIdWhereItIsTold() {
        headers.add("x-id", "a-1".getBytes(UTF_8));
        processor.rejectedMessageId(MessageIds.header("x-id")).reject(consumer, failure());

        assertThat(flow.rejectedId).contains("a-1");
    }

    @Test
    void ignoresARecordOfAPartitionThatWasTakenAway() {
        consumer.reassign(P1);
        reject();

        assertThat(flow.rejected).isEmpty();
    }

    @Test
    @Tag("rule-1.5")
    void refusesToRunInsideATransaction() {
        flow.isTransactionActive = true;

        assertThatThrownBy(this::reject).isInstanceOf(IdempotencyException.class);

        assertThat(flow.rejected).isEmpty();
        assertThat(consumer.position(P0)).isEqualTo(7);
    }

    @Test
    void resumesOtherPartitionsAndCommitsWhatWasLeftOver() {
        consumer.records(P1, 0, 1);
        flow.failing.put(new Position("orders", 1, 0), Duration.ofSeconds(1));
        processor.process(consumer, consumer.poll(Duration.ZERO));
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        reject();

        assertThat(consumer.paused()).isEmpty();
        processor.process(consumer, new ConsumerRecords<>(Map.of(), Map.of(P0, new OffsetAndMetadata(9))));
        assertThat(consumer.committed(P0)).isEqualTo(9);
    }

    @Test
    @Tag("rule-5.6")
    void standsStillAtARecordThatMakesTheConsumerThrow() {
        consumer.records(P1, 0, 1);
        flow.throwing.put(P0, new AssertionError("of a policy"));
        consumer.seek(P0, 7);
        reject();
        processor.process(consumer, consumer.poll(Duration.ZERO));

        assertThat(consumer.position(P0)).isEqualTo(7);
        assertThat(consumer.paused()).containsExactly(P0);
        assertThat(consumer.committed(P1)).isEqualTo(1);
    }

    @Test
    @Tag("rule-5.7")
    void commitsTheLeaderEpochOfWhatIsInFrontOfIt() {
        consumer.commitSync(Map.of(P0, new OffsetAndMetadata(7, Optional.of(3), "")));
        reject();

        assertThat(consumer.commits).last().isEqualTo(Map.of(P0, new OffsetAndMetadata(8, Optional.of(3), "")));
    }

    private void reject() {
        processor.reject(consumer, failure());
    }

    private RecordDeserializationException failure() {
        return new RecordDeserializationException(
                RecordDeserializationException.DeserializationExceptionOrigin.VALUE,
                P0,
                BAD.offset(),
                0,
                TimestampType.CREATE_TIME,
                ByteBuffer.wrap("k".getBytes(UTF_8)),
                ByteBuffer.wrap("v".getBytes(UTF_8)),
                headers,
                "scripted",
                new IllegalArgumentException());
    }
}

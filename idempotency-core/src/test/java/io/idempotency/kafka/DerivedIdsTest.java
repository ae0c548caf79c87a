package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.TransactionPer;
import io.idempotency.store.MemoryStore;
import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a handler sends with the headers of its record is a message of its own, and the same one when the record is handled again. */
class DerivedIdsTest {

    private final MessageIdInterceptor<String, String> interceptor = new MessageIdInterceptor<>();
    private final IdempotentConsumer<ConsumerRecord<String, String>> billing = consumer("billing");
    private final List<String> sent = new ArrayList<>();

    private static IdempotentConsumer<ConsumerRecord<String, String>> consumer(String name) {
        return KafkaRecords.<String, String>consumer(name)
                .store(MemoryStore.create())
                .transactionPer(TransactionPer.POLL)
                .failures(FailurePolicy.leaveToCaller())
                .build();
    }

    private static ConsumerRecord<String, String> record(long offset, String... headers) {
        ConsumerRecord<String, String> record = new ConsumerRecord<>("orders", 0, offset, "k", "v" + offset);
        add(record.headers(), headers);
        return record;
    }

    private static void add(Headers headers, String... namesAndValues) {
        for (int i = 0; i < namesAndValues.length; i += 2) {
            headers.add(namesAndValues[i], namesAndValues[i + 1].getBytes(UTF_8));
        }
    }

    private static String id(Headers headers, String name) {
        assertThat(headers.headers(name)).hasSize(1);
        return new String(headers.lastHeader(name).value(), UTF_8);
    }

    /** Sends as whoever copies all headers does; returns the headers of the output. */
    private Headers forward(Iterable<Header> headers) {
        return interceptor
                .onSend(new ProducerRecord<>("out", null, null, "k", "v", headers))
                .headers();
    }

    private void sendTwice(ConsumerRecord<String, String> record) {
        for (int i = 0; i < 2; i++) {
            sent.add(id(forward(record.headers()), "message-id"));
        }
    }

    @Test
    @Tag("rule-5.18")
    void areOfConsumerIdAndNumber() {
        billing.consume(record(0, "message-id", "a"), (record, claim) -> sendTwice(record));

        MessageId incoming = new MessageId("billing", "a");
        assertThat(sent).containsExactly(DerivedIds.of(incoming, 0), DerivedIds.of(incoming, 1));
        assertThat(sent).doesNotHaveDuplicates().allSatisfy(id -> {
            assertThat(UUID.fromString(id).version()).isEqualTo(8);
            assertThat(UUID.fromString(id).variant()).isEqualTo(2);
        });
        assertThat(List.of(
                        DerivedIds.of(incoming, 0),
                        DerivedIds.of(new MessageId("billing", "b"), 0),
                        DerivedIds.of(new MessageId("shipping", "a"), 0)))
                .doesNotHaveDuplicates();
        assertThat(DerivedIds.of(incoming, 0)).isEqualTo("689c6bca-90f3-8d31-beae-cf78078a4995");
    }

    @Test
    @Tag("rule-5.18")
    void areTheSameWhenTheRecordIsHandledAgainWhateverIsSentWithIt() {
        List<ConsumerRecord<String, String>> poll = List.of(record(0, "message-id", "a"), record(1, "message-id", "b"));
        billing.consumeAll(poll, (record, claim) -> {
            sendTwice(record);
            if (record.offset() == 1) {
                throw new IllegalStateException("b fails");
            }
        });
        List<String> first = List.copyOf(sent);
        sent.clear();

        billing.consume(record(0, "message-id", "a"), (record, claim) -> sendTwice(record));
        billing.consume(record(1, "message-id", "b"), (record, claim) -> {
            forward(List.of());
            forward(record(7, "message-id", "other").headers());
            sendTwice(record);
        });

        assertThat(first).hasSize(4).doesNotHaveDuplicates();
        assertThat(sent).isEqualTo(first);
    }

    @Test
    @Tag("rule-5.18")
    void countForEachRecordOfABatch() {
        List<ConsumerRecord<String, String>> batch =
                List.of(record(0, "message-id", "a"), record(1, "message-id", "b"));

        billing.consumeBatch(batch, (records, claims) -> {
            sendTwice(records.get(1));
            sendTwice(records.get(0));
        });

        assertThat(sent)
                .containsExactly(
                        DerivedIds.of(new MessageId("billing", "b"), 0),
                        DerivedIds.of(new MessageId("billing", "b"), 1),
                        DerivedIds.of(new MessageId("billing", "a"), 0),
                        DerivedIds.of(new MessageId("billing", "a"), 1));
    }

    /** Two records with one header are two messages to a consumer that reads the id from the value. */
    @Test
    void tellRecordsOfOneHeaderApartWhereTheConsumerDoes() {
        IdempotentConsumer<ConsumerRecord<String, String>> byValue = KafkaRecords.<String, String>consumer("billing")
                .store(MemoryStore.create())
                .messageId(MessageIds.value(value -> value))
                .transactionPer(TransactionPer.POLL)
                .build();

        byValue.consumeAll(
                List.of(record(0, "message-id", "a"), record(1, "message-id", "a")),
                (record, claim) -> sendTwice(record));

        assertThat(sent).hasSize(4).doesNotHaveDuplicates();
    }

    @Test
    void replaceTheHeaderAsItIsWrittenAndNoOther() {
        interceptor.configure(Map.of(MessageIdInterceptor.HEADER_CONFIG, "message-id, event-id"));
        String[] incoming = {"Event-Id", "a", "trace", "t"};

        billing.consume(record(0, "message-id", "a", "Event-Id", "a", "trace", "t"), (record, claim) -> {
            Headers output = forward(record(1, incoming).headers());
            assertThat(id(output, "Event-Id"))
                    .isEqualTo(DerivedIds.of(claim.delivery().id(), 0));
            assertThat(id(output, "trace")).isEqualTo("t");
            assertThat(output.toArray()).hasSize(2);
        });
    }

    @Test
    void replaceTheIdOfACloudEventIfItsSourceIsCopiedToo() {
        String[] incoming = {"ce_id", "7", "ce_source", "/shop"};

        billing.consume(record(0, incoming), (record, claim) -> {
            Headers copied = forward(record.headers());
            Headers other =
                    forward(record(1, "ce_id", "7", "ce_source", "/billing").headers());
            assertThat(id(copied, "ce_id"))
                    .isEqualTo(DerivedIds.of(claim.delivery().id(), 0));
            assertThat(id(copied, "ce_source")).isEqualTo("/shop");
            assertThat(id(other, "ce_id")).isEqualTo("7");
        });
    }

    @Test
    @Tag("rule-5.19")
    void areNotGivenOutsideOfAHandler() {
        ConsumerRecord<String, String> record = record(0, "message-id", "a");
        billing.consume(record, (message, claim) -> {});

        assertThat(id(forward(record.headers()), "message-id")).isEqualTo("a");
    }

    @Test
    @Tag("rule-5.19")
    void areThoseOfTheInnermostHandler() {
        IdempotentConsumer<ConsumerRecord<String, String>> inner = consumer("shipping");

        billing.consume(record(0, "message-id", "a"), (record, claim) -> {
            sendTwice(record);
            inner.consume(record(1, "message-id", "b"), (second, theirs) -> {
                sendTwice(second);
                assertThat(id(forward(record.headers()), "message-id")).isEqualTo("a");
            });
            sendTwice(record);
        });

        assertThat(sent).hasSize(6).doesNotHaveDuplicates();
        assertThat(sent.get(4)).isEqualTo(DerivedIds.of(new MessageId("billing", "a"), 2));
    }

    @Test
    void areNotGivenIfSwitchedOff() {
        interceptor.configure(Map.of(MessageIdInterceptor.DERIVED_CONFIG, "false"));

        billing.consume(
                record(0, "message-id", "a"),
                (record, claim) ->
                        assertThat(id(forward(record.headers()), "message-id")).isEqualTo("a"));
    }

    @Test
    void areOfACopyWhereTheHeadersAreClosed() {
        billing.consume(record(0, "message-id", "a"), (record, claim) -> {
            ProducerRecord<String, String> output = new ProducerRecord<>("out", 3, 17L, "k", "v", record.headers());
            ((RecordHeaders) output.headers()).setReadOnly();

            ProducerRecord<String, String> copy = interceptor.onSend(output);

            assertThat(id(copy.headers(), "message-id"))
                    .isEqualTo(DerivedIds.of(claim.delivery().id(), 0));
            assertThat(copy.partition()).isEqualTo(3);
            assertThat(id(output.headers(), "message-id")).isEqualTo("a");
        });
    }

    @Test
    void leaveTheRecordThatIsHandledAsItIs() {
        ConsumerRecord<String, String> record = record(0, "message-id", "a");

        billing.consume(record, (message, claim) -> sendTwice(message));

        assertThat(id(record.headers(), "message-id")).isEqualTo("a");
    }
}

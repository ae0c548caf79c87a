package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.TransactionPer;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a handler sends is a message of its own, and the same one when the record is handled again and the handler says the same. */
class DerivedIdsTest {

    private static final Map<String, Object> SERIALIZERS =
            Map.of("key.serializer", StringSerializer.class, "value.serializer", StringSerializer.class.getName());

    private MessageIdInterceptor<String, String> interceptor = configured(Map.of());
    private final IdempotentConsumer<ConsumerRecord<String, String>> billing = consumer("billing");
    private final List<String> sent = new ArrayList<>();

    private static MessageIdInterceptor<String, String> configured(Map<String, Object> settings) {
        MessageIdInterceptor<String, String> interceptor = new MessageIdInterceptor<>();
        Map<String, Object> all = new HashMap<>(SERIALIZERS);
        all.putAll(settings);
        interceptor.configure(all);
        return interceptor;
    }

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
        return forward(headers, "v");
    }

    private Headers forward(Iterable<Header> headers, String value) {
        return interceptor
                .onSend(new ProducerRecord<>("out", null, null, "k", value, headers))
                .headers();
    }

    private Headers sendTo(int partition) {
        return interceptor
                .onSend(new ProducerRecord<>("out", partition, "k", "v"))
                .headers();
    }

    /** Handles a record, and handles it again because the first run fails; returns the ids of what was sent in each. */
    private List<List<String>> inTwoRuns(String id, BiConsumer<ConsumerRecord<String, String>, Integer> handler) {
        List<List<String>> runs = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            int number = run;
            sent.clear();
            billing.consumeAll(List.of(record(0, "message-id", id)), (record, claim) -> {
                handler.accept(record, number);
                if (number == 0) {
                    throw new IllegalStateException("the first run fails");
                }
            });
            runs.add(List.copyOf(sent));
        }
        return runs;
    }

    private static void isDerived(String id) {
        assertThat(UUID.fromString(id).version()).isEqualTo(8);
    }

    private void send(Headers output) {
        sent.add(id(output, "message-id"));
    }

    private void sendTwice(ConsumerRecord<String, String> record) {
        for (int i = 0; i < 2; i++) {
            sent.add(id(forward(record.headers()), "message-id"));
        }
    }

    @Test
    void areOfConsumerIdAndNumberForWhoNumbersThem() {
        MessageId incoming = new MessageId("billing", "a");

        assertThat(List.of(
                        DerivedIds.of(incoming, 0),
                        DerivedIds.of(incoming, 1),
                        DerivedIds.of(new MessageId("billing", "b"), 0),
                        DerivedIds.of(new MessageId("shipping", "a"), 0)))
                .doesNotHaveDuplicates()
                .allSatisfy(id -> {
                    assertThat(UUID.fromString(id).version()).isEqualTo(8);
                    assertThat(UUID.fromString(id).variant()).isEqualTo(2);
                });
        assertThat(DerivedIds.of(incoming, 0)).isEqualTo("689c6bca-90f3-8d31-beae-cf78078a4995");
    }

    /** An index of ids grows at its end then, as with the ids that producers stamp. */
    @Test
    void beginWithTheTimeOfTheIncomingId() {
        String incoming = "0192f0c1-7a5b-7cde-8f01-23456789abcd";

        String derived = DerivedIds.of(new MessageId("billing", incoming), 0);
        String next = DerivedIds.of(new MessageId("shipping", derived), 0);

        assertThat(derived).startsWith("0192f0c1-7a5b-7").isNotEqualTo(incoming);
        assertThat(next).startsWith("0192f0c1-7a5b-7").isNotEqualTo(derived);
        assertThat(DerivedIds.of(new MessageId("billing", "0192f0c1-7a5b-4cde-8f01-23456789abcd"), 0))
                .doesNotStartWith("0192f0c1");
    }

    @Test
    @Tag("rule-5.18")
    void areTwoForTwoOutputsThatSayTheSame() {
        List<List<String>> runs = inTwoRuns("a", (record, run) -> sendTwice(record));

        assertThat(runs.get(0)).hasSize(2).doesNotHaveDuplicates().doesNotContain("a");
        assertThat(runs.get(1)).isEqualTo(runs.get(0));
    }

    /** What the run that was rolled back has sent may have been received; with one id the receiver would skip what holds. */
    @Test
    @Tag("rule-5.18")
    void areOthersIfTheNextRunDecidesOtherwise() {
        List<List<String>> values =
                inTwoRuns("a", (record, run) -> send(forward(record.headers(), run == 0 ? "ACCEPTED" : "REJECTED")));
        List<List<String>> headers = inTwoRuns("b", (record, run) -> {
            add(record.headers(), "event-type", run == 0 ? "ACCEPTED" : "REJECTED");
            send(forward(record.headers()));
        });

        assertThat(values.get(0)).doesNotContainAnyElementsOf(values.get(1));
        assertThat(headers.get(0)).doesNotContainAnyElementsOf(headers.get(1));
    }

    @Test
    @Tag("rule-5.18")
    void areTheSameInAnotherOrder() {
        List<List<String>> runs = inTwoRuns("a", (record, run) -> {
            for (int i = 0; i < 2; i++) {
                send(forward(record.headers(), "v" + (i + run) % 2));
            }
        });

        assertThat(runs.get(0)).hasSize(2).doesNotHaveDuplicates();
        assertThat(runs.get(1)).containsExactlyInAnyOrderElementsOf(runs.get(0));
        assertThat(runs.get(1)).isNotEqualTo(runs.get(0));
    }

    /** A handler that sends to partitions by number means them: what arrives in another one is another message. */
    @Test
    @Tag("rule-5.18")
    void areOthersInAnotherPartition() {
        List<List<String>> runs = inTwoRuns("a", (record, run) -> {
            send(sendTo(1 - run));
            if (run == 1) {
                send(sendTo(1));
            }
        });

        assertThat(runs.get(1))
                .hasSize(2)
                .doesNotHaveDuplicates()
                .endsWith(runs.get(0).get(0));
    }

    /** As of an event, whose time says what it is. */
    @Test
    @Tag("rule-5.18")
    void areOthersAtAnotherTime() {
        List<List<String>> runs = inTwoRuns(
                "a",
                (record, run) -> send(interceptor
                        .onSend(new ProducerRecord<>("out", null, 1_000L + run, "k", "v"))
                        .headers()));

        assertThat(runs.get(0)).doesNotContainAnyElementsOf(runs.get(1));
    }

    @Test
    @Tag("rule-5.18")
    void areTheSameWhateverTracingAdds() {
        List<List<String>> runs = inTwoRuns("a", (record, run) -> {
            add(record.headers(), "traceparent", "00-" + run, "X-B3-TraceId", "t" + run, "message-id", "a");
            record.headers().remove("message-id").add("message-id", "a".getBytes(UTF_8));
            send(forward(record.headers()));
        });

        assertThat(runs.get(1)).isEqualTo(runs.get(0));
    }

    @Test
    @Tag("rule-5.18")
    void areGivenToWhatHasNoId() {
        List<List<String>> runs = inTwoRuns("a", (record, run) -> {
            send(forward(List.of()));
            send(forward(List.of(), "w" + run));
        });

        assertThat(runs.get(0).get(0)).isEqualTo(runs.get(1).get(0));
        assertThat(runs.get(0).get(1)).isNotEqualTo(runs.get(1).get(1));
        assertThat(UUID.fromString(runs.get(0).get(0)).version()).isEqualTo(8);
    }

    /** Whose output it is nobody knows. */
    @Test
    void areNotGivenToWhatHasNoIdInABatchOfSeveral() {
        billing.consumeBatch(
                List.of(record(0, "message-id", "a"), record(1, "message-id", "b")),
                (records, claims) -> send(forward(List.of())));

        assertThat(UUID.fromString(sent.get(0)).version()).isEqualTo(7);
    }

    /** Two runs could not be compared, so neither output may stand for the other. */
    @Test
    void areNewIfTheContentCannotBeKnown() {
        interceptor = configured(Map.of("key.serializer", "no.such.Serializer"));

        List<List<String>> runs = inTwoRuns("a", (record, run) -> {
            send(forward(record.headers()));
            send(forward(List.of()));
        });

        assertThat(runs.get(0)).doesNotContain("a").doesNotContainAnyElementsOf(runs.get(1));
        assertThat(runs)
                .flatMap(ids -> ids)
                .allSatisfy(id -> assertThat(UUID.fromString(id).version()).isEqualTo(7));
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
            forward(List.of(), "w");
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
            throw new IllegalStateException("to be handled again");
        });

        List<String> together = List.copyOf(sent);
        sent.clear();
        billing.consume(record(1, "message-id", "b"), (record, claim) -> sendTwice(record));
        billing.consume(record(0, "message-id", "a"), (record, claim) -> sendTwice(record));
        assertThat(together).hasSize(4).doesNotHaveDuplicates().isEqualTo(sent);
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
        interceptor = configured(Map.of(MessageIdInterceptor.HEADER_CONFIG, "message-id, event-id"));
        String[] incoming = {"Event-Id", "a", "trace", "t"};

        billing.consume(record(0, "message-id", "a", "Event-Id", "a", "trace", "t"), (record, claim) -> {
            Headers output = forward(record(1, incoming).headers());
            assertThat(id(output, "Event-Id")).satisfies(DerivedIdsTest::isDerived);
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
            assertThat(id(copied, "ce_id")).satisfies(DerivedIdsTest::isDerived);
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
        assertThat(sent).allSatisfy(DerivedIdsTest::isDerived);
    }

    @Test
    void areNotGivenIfSwitchedOff() {
        interceptor = configured(Map.of(MessageIdInterceptor.DERIVED_CONFIG, "false"));

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

            assertThat(id(copy.headers(), "message-id")).satisfies(DerivedIdsTest::isDerived);
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

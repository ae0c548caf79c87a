package io.idempotency.streams;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;

/** A topology without a broker, with clocks that the test moves. Ids are in the header {@code message-id}. */
final class Bench implements AutoCloseable {

    static final String IN = "payments";
    static final String OTHER = "refunds";
    static final String OUT = "once";
    static final Instant START = Instant.parse("2026-11-29T12:00:00Z");

    private final TopologyTestDriver driver;
    private final TestInputTopic<String, String> in;
    private final TestOutputTopic<String, String> out;
    private Instant now = START;

    Bench(String guarantee, Topology topology) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "bench");
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(
                StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/streams-" + System.nanoTime());
        this.driver = new TopologyTestDriver(topology, settings, START);
        this.in = input(IN);
        this.out = driver.createOutputTopic(OUT, new StringDeserializer(), new StringDeserializer());
    }

    /** Returns a bench around one operator. */
    static Bench of(String guarantee, FixedKeyProcessorSupplier<String, String, String> operator) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(List.of(IN, OTHER))
                .processValues(operator)
                .to(OUT);
        return new Bench(guarantee, builder.build());
    }

    static Bench exactlyOnce(Deduplication<String, String> deduplication) {
        return of(StreamsConfig.EXACTLY_ONCE_V2, deduplication.supplier());
    }

    static Bench atLeastOnce(Deduplication<String, String> deduplication) {
        return of(StreamsConfig.AT_LEAST_ONCE, deduplication.supplier());
    }

    TopologyTestDriver driver() {
        return driver;
    }

    TestInputTopic<String, String> input(String topic) {
        return driver.createInputTopic(topic, new StringSerializer(), new StringSerializer());
    }

    /** Sends a record, now. */
    void send(String id, @Nullable String value) {
        send(id, value, now);
    }

    void send(String id, @Nullable String value, Instant timestamp) {
        in.pipeInput(record(id, value, timestamp));
    }

    static TestRecord<String, String> record(String id, @Nullable String value, Instant timestamp) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("message-id", id.getBytes(StandardCharsets.UTF_8));
        return new TestRecord<>("key", value, headers, timestamp);
    }

    /** Moves the clock of the machine. */
    void pass(Duration time) {
        now = now.plus(time);
        driver.advanceWallClockTime(time);
    }

    Instant now() {
        return now;
    }

    /** Returns the values that were forwarded since the last call. */
    List<String> forwarded() {
        return out.readValuesToList();
    }

    List<TestRecord<String, String>> records() {
        return out.readRecordsToList();
    }

    @Override
    public void close() {
        driver.close();
    }
}

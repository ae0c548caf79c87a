package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.ReplayRecords;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ContainerPostProcessor;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaUtils;
import org.springframework.kafka.support.serializer.SerializationUtils;
import org.springframework.messaging.Message;
import org.springframework.messaging.converter.AbstractMessageConverter;
import org.springframework.messaging.converter.SmartMessageConverter;
import org.springframework.messaging.handler.annotation.SendTo;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.util.backoff.FixedBackOff;

/** An application with a listener of each kind. What is broken in it, a test mends. */
@Configuration(proxyBeanMethods = false)
class ReplayedListeners {

    static final String GARBLED = "garbled:";

    private final Effects.Ledger ledger;
    private final Seen seen;

    ReplayedListeners(Effects.Ledger ledger, Seen seen) {
        this.ledger = ledger;
        this.seen = seen;
    }

    private static final ThreadLocal<@Nullable Object> SCOPE = new ThreadLocal<>();
    private static final LogAccessor LOG = new LogAccessor(LogFactory.getLog(ReplayedListeners.class));

    /** What listeners and interceptors saw, and what a filter takes away. */
    static final class Seen {

        final Map<String, String> replays = new ConcurrentHashMap<>();
        final Map<String, String> scopes = new ConcurrentHashMap<>();
        final List<String> intercepted = new CopyOnWriteArrayList<>();
        final Set<String> filtered = ConcurrentHashMap.newKeySet();
        volatile boolean isIdMended;
        volatile String consumer = "";
        volatile boolean isNacking;

        void note(ConsumerRecord<?, ?> record) {
            var header = record.headers().lastHeader(ReplayRecords.HEADER);
            if (header != null) {
                replays.put(String.valueOf(record.value()), new String(header.value(), UTF_8));
                scopes.put(String.valueOf(record.value()), String.valueOf(SCOPE.get()));
            }
        }

        /** Called by the expression of message ids. */
        public String id(ConsumerRecord<?, ?> record) {
            String id = BenchTopic.header(record, "message-id");
            if (id.endsWith("unnamed") && !isIdMended) {
                throw new IllegalStateException("no such property");
            }
            return id;
        }
    }

    /** Reads no garbled value before it is mended. */
    public static final class Mendable implements Deserializer<String> {

        static volatile boolean isMended;

        @Override
        public @Nullable String deserialize(String topic, byte[] data) {
            String text = new String(data, UTF_8);
            if (text.startsWith(GARBLED) && !isMended) {
                throw new SerializationException("no letter begins like that");
            }
            return text.replace(GARBLED, "");
        }
    }

    record Amount(String value) {}

    /** Converts text to the parameter of a listener. */
    static final class Amounts extends AbstractMessageConverter {

        @Override
        protected boolean supports(Class<?> type) {
            return type == Amount.class;
        }

        @Override
        protected Object convertFromInternal(Message<?> message, Class<?> type, @Nullable Object hint) {
            return new Amount((String) message.getPayload());
        }
    }

    @Bean
    static Seen seen() {
        return new Seen();
    }

    @Bean
    static RecordScope scopes() {
        return new RecordScope() {
            @Override
            public Object of(ConsumerRecord<?, ?> record) {
                return record.topic();
            }

            @Override
            public Entered enter(Object topic) {
                SCOPE.set(topic);
                return SCOPE::remove;
            }
        };
    }

    @Bean
    static SmartMessageConverter amounts() {
        return new Amounts();
    }

    @Bean
    static RecordFilterStrategy<String, String> noise(Seen seen) {
        return record -> seen.filtered.contains(record.value());
    }

    @Bean
    static ContainerPostProcessor<Object, Object, AbstractMessageListenerContainer<Object, Object>> intercepting(
            Seen seen) {
        return container -> container.setRecordInterceptor(new RecordInterceptor<>() {
            @Override
            public ConsumerRecord<Object, Object> intercept(
                    ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
                seen.intercepted.add("intercept " + record.value());
                return record;
            }

            @Override
            public void success(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
                seen.intercepted.add("success " + record.value());
            }

            @Override
            public void afterRecord(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
                seen.intercepted.add("after " + record.value());
            }
        });
    }

    @Bean
    static BatchInterceptor<Object, Object> batchInterceptor(Seen seen) {
        return (records, consumer) -> {
            records.forEach(record -> seen.intercepted.add("batch " + record.value()));
            return records;
        };
    }

    @Bean
    static DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
        return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 1));
    }

    @KafkaListener(
            id = "RECORD",
            groupId = "${topic}-RECORD",
            topics = "${topic}-RECORD",
            containerPostProcessor = "intercepting")
    @Idempotent(value = "RECORD", messageId = "@seen.id(#root)")
    void record(ConsumerRecord<String, String> record) {
        seen.note(record);
        ledger.post(record.value());
    }

    @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
    @Idempotent(value = "BATCH", messageId = "@seen.id(#root)")
    void batch(List<ConsumerRecord<String, String>> records) {
        for (ConsumerRecord<String, String> record : records) {
            if (record.value() == null) {
                throw new BatchListenerFailedException(
                        "garbled",
                        SerializationUtils.getExceptionFromHeader(
                                record, KafkaUtils.VALUE_DESERIALIZER_EXCEPTION_HEADER, LOG),
                        record);
            }
            seen.note(record);
            ledger.post(record.value());
        }
    }

    @KafkaListener(id = "PAYLOADS", groupId = "${topic}-PAYLOADS", topics = "${topic}-PAYLOADS", batch = "true")
    @Idempotent("PAYLOADS")
    void payloads(List<String> values) {
        values.forEach(ledger::post);
    }

    @KafkaListener(id = "POLLED", groupId = "${topic}-POLLED", topics = "${topic}-POLLED", batch = "true")
    @Idempotent("POLLED")
    void polled(ConsumerRecords<String, String> records) {
        records.forEach(record -> {
            seen.note(record);
            ledger.post(record.value());
        });
    }

    @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
    @Idempotent(value = "POLL", transactionPer = TransactionPer.POLL)
    void poll(ConsumerRecord<String, String> record) {
        seen.note(record);
        ledger.post(record.value());
    }

    @KafkaListener(id = "FILTERED", groupId = "${topic}-FILTERED", topics = "${topic}-FILTERED", filter = "noise")
    @Idempotent("FILTERED")
    void filtered(String value) {
        ledger.post(value);
    }

    @KafkaListener(
            id = "CONVERTED",
            groupId = "${topic}-CONVERTED",
            topics = "${topic}-CONVERTED",
            contentTypeConverter = "amounts")
    @Idempotent("CONVERTED")
    @Transactional
    public void converted(Amount amount) {
        ledger.post(amount.value());
    }

    @KafkaListener(id = "MANUAL", groupId = "${topic}-MANUAL", topics = "${topic}-MANUAL", ackMode = "MANUAL")
    @Idempotent("MANUAL")
    void manual(ConsumerRecord<String, String> record, Acknowledgment ack, Consumer<?, ?> consumer) {
        seen.note(record);
        if (record.headers().lastHeader(ReplayRecords.HEADER) != null) {
            seen.consumer = consumer + " " + consumer.assignment();
            if (seen.isNacking) {
                ack.nack(java.time.Duration.ofMillis(1));
                return;
            }
        }
        ledger.post(record.value());
        ack.acknowledge();
    }

    @KafkaListener(id = "REPLY", groupId = "${topic}-REPLY", topics = "${topic}-REPLY")
    @Idempotent("REPLY")
    @SendTo("${topic}-REPLY-out")
    String reply(String value) {
        ledger.post(value);
        return "reply to " + value;
    }

    @KafkaListener(id = "FUTURE", groupId = "${topic}-FUTURE", topics = "${topic}-FUTURE")
    @Idempotent(value = "FUTURE", level = ConsistencyLevel.AT_LEAST_ONCE)
    CompletableFuture<@Nullable Void> future(String value) {
        return CompletableFuture.runAsync(() -> ledger.post(value));
    }

    @KafkaListener(id = "ONCE", groupId = "${topic}-ONCE", topics = "${topic}-ONCE")
    @Idempotent(value = "ONCE", level = ConsistencyLevel.AT_MOST_ONCE)
    void once(String value) {
        ledger.post(value);
    }

    /** One consumer, and a method for each type. */
    @KafkaListener(id = "HANDLERS", groupId = "${topic}-HANDLERS", topics = "${topic}-HANDLERS")
    @Idempotent("HANDLERS")
    static class Handlers {

        private final Effects.Ledger ledger;

        Handlers(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaHandler
        void text(String value) {
            ledger.post(value);
        }

        @KafkaHandler
        void number(Integer value) {
            throw new IllegalStateException("not sent here: " + value);
        }
    }

    /** Sends, and the id of what it sends is derived from the message. */
    @KafkaListener(id = "SENDER", groupId = "${topic}-SENDER", topics = "${topic}-SENDER")
    @Idempotent("SENDER")
    static class Sender {

        private final Effects.Ledger ledger;
        private final KafkaTemplate<String, String> kafka;
        private final String to;

        Sender(
                Effects.Ledger ledger,
                KafkaTemplate<String, String> kafka,
                @org.springframework.beans.factory.annotation.Value("${topic}-SENDER-out") String to) {
            this.ledger = ledger;
            this.kafka = kafka;
            this.to = to;
        }

        @KafkaHandler
        void send(String value) {
            var unused = kafka.send(to, "output of " + value);
            ledger.post(Objects.requireNonNull(value));
        }
    }
}

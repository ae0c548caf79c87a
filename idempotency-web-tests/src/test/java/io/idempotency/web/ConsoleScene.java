package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.Operations;
import io.idempotency.Standstills;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.spring.Idempotent;
import io.idempotency.spring.QuarantineRecoverer;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaAdmin.NewTopics;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.util.backoff.FixedBackOff;

/** An application with trouble: two consumers with a column that is too short, and one that goes on beside them. */
final class ConsoleScene {

    /** What a sender may put into any text of a message. */
    static final String HOSTILE =
            "<img src=x onerror=ran=1><script>ran=1</script>\"'`\u202Egnp.exe\u2066\u0000\r\n\u200B${7*7}{{7*7}}</textarea>";

    /** As long as the name of a consumer may be. */
    static final String LONG_NAME =
            "a-consumer-of-another-application.".repeat(3).substring(0, 100);

    static final String LONG_ID = ("</script><b>\u05D0\u202E" + "W".repeat(4096)).substring(0, 4080);

    private static final AtomicLong AHEAD = new AtomicLong();

    final ConfigurableApplicationContext application;
    private final JdbcTemplate jdbc;

    ConsoleScene() {
        application = new SpringApplicationBuilder(Application.class)
                .properties(
                        "server.port=0",
                        "spring.main.banner-mode=off",
                        "spring.application.name=bank",
                        "spring.kafka.bootstrap-servers=" + WebServers.bootstrapServers(),
                        "spring.kafka.consumer.auto-offset-reset=earliest",
                        "spring.kafka.consumer.fetch-max-wait=50ms",
                        "spring.datasource.url=" + WebServers.url(WebServers.database()),
                        "idempotency.schema.mode=always",
                        "idempotency.console.enabled=true",
                        "idempotency.outbox.enabled=true",
                        "idempotency.outbox.relay=false",
                        "management.endpoints.web.exposure.include=idempotency",
                        "management.endpoint.idempotency.access=unrestricted",
                        "idempotency.stand-still-after=8",
                        "idempotency.purge.interval=1s")
                .run();
        jdbc = application.getBean(JdbcTemplate.class);
    }

    String address() {
        return "http://localhost:" + application.getEnvironment().getProperty("local.server.port")
                + "/actuator/idempotency-console/";
    }

    /** Sends messages that fail until the column is mended. After eight of them the partition stands still. */
    void fail(String topic, int messages) {
        KafkaTemplate<String, String> kafka = kafka();
        for (int i = 0; i < messages; i++) {
            ProducerRecord<String, String> record = new ProducerRecord<>(
                    topic,
                    "customer-17",
                    "{\"reference\": \"invoice of the year 2026, part " + i
                            + "\", \"cents\": 1299, \"lines\": [{\"sku\": \"A-1\", \"count\": 2}]}");
            record.headers().add("message-id", (topic + "/" + (4711 + i)).getBytes(UTF_8));
            record.headers().add("source", "checkout".getBytes(UTF_8));
            kafka.send(record).join();
        }
    }

    /** Mends the column, and begins the listener anew, as the next deployment would. */
    void mend(String table, String listener) {
        jdbc.execute("alter table " + table + " alter column reference type text");
        MessageListenerContainer container = Objects.requireNonNull(
                application.getBean(KafkaListenerEndpointRegistry.class).getListenerContainer(listener));
        container.stop();
        container.start();
    }

    /** Moves the clock by which partitions stand still. */
    void advance(Duration time) {
        AHEAD.addAndGet(time.toNanos());
    }

    /** Quarantines what nobody should send, and leaves acts with such texts. */
    void quarantineHostileMessages() {
        QuarantineStore quarantine = application.getBean(QuarantineStore.class);
        byte[] binary = new byte[3000];
        for (int i = 0; i < binary.length; i++) {
            binary[i] = (byte) (i * 31);
        }
        List<Payload.Header> headers = List.of(
                new Payload.Header(HOSTILE, HOSTILE.getBytes(UTF_8)),
                new Payload.Header("binary", binary),
                new Payload.Header("none", null));
        QuarantineFailure failure = new QuarantineFailure(
                "com.example.<b>Bad</b>Exception",
                "<i>group</i>",
                HOSTILE + "\n\tat x.Y.z(Y.java:1)\nCaused by: " + HOSTILE.repeat(20));
        String json =
                "{\"" + HOSTILE.replace("\"", "\\\"").replace("\r\n", "\\n").replace("\0", "")
                        + "\": [[], {}, \"]\", 12345678901234567890]}";
        List<String> ids =
                List.of(HOSTILE.replaceAll("[\\x00\\r\\n]", ""), LONG_ID, "javascript:ran=1", "a b&c=d#e/../%00");
        for (int i = 0; i < ids.size(); i++) {
            byte[] value = i == 0
                    ? json.getBytes(UTF_8)
                    : i == 1 ? binary : HOSTILE.repeat(200).getBytes(UTF_8);
            Payload payload = new Payload(HOSTILE.getBytes(UTF_8), value, headers, Payload.Origin.RAW);
            Delivery delivery =
                    new Delivery(new MessageId(LONG_NAME, ids.get(i)), new Position("orders." + "t".repeat(200), 0, i));
            quarantine.save(new QuarantinedMessage(delivery, payload, failure, 10));
        }
        application
                .getBean(Operations.class)
                .as(HOSTILE.replace("\0", ""), "test")
                .replay(ReplayRequest.of(QuarantineSelection.of(LONG_NAME).limit(1)), HOSTILE.replace("\0", ""));
    }

    /** Quarantines messages that no consumer has seen. */
    void quarantine(String consumer, int messages) {
        QuarantineFailure failure = new QuarantineFailure(
                "java.sql.SQLException",
                "group",
                "java.sql.SQLException: no such account\n\tat io.bank.Ledger.post(Ledger.java:88)");
        for (int i = 0; i < messages; i++) {
            Payload payload = new Payload(null, "{\"account\": 17}".getBytes(UTF_8), List.of(), Payload.Origin.RAW);
            Delivery delivery = new Delivery(new MessageId(consumer, "order-" + i), new Position("orders", 0, i));
            application.getBean(QuarantineStore.class).save(new QuarantinedMessage(delivery, payload, failure, 10));
        }
    }

    /** Fills the quarantine of a consumer by one statement. */
    void quarantineInBulk(String consumer, int messages) {
        jdbc.update("insert into idempotency_name (id, name) select max(id) + 1, ? from idempotency_name", consumer);
        jdbc.update("""
                insert into idempotency_quarantine (consumer, message_id, generation, at_micros, first_at_micros, record_timestamp, record_offset, place,
                    key_hash, attempts, behind, doubtful, origin, failure_type, failure_group, id_value, failure, record_value, headers)
                select c.id, gen_random_uuid(), n, t.at, t.at, 0, n, (c.id::bigint << 32) + n % 8, 0, 10, 0, 0, 'RAW', 'java.sql.SQLException', 'group-' || n % 7,
                    'order-' || n, 'java.sql.SQLException: number ' || n % 7, 'value', '\\x00000000'
                from generate_series(1, ?) n, (select id from idempotency_name where name = ?) c,
                    lateral (select (extract(epoch from now()) * 1000000)::bigint - n * 3000000::bigint) t(at)
                """, messages, consumer);
    }

    int handledMails() {
        return application.getBean(Application.Mails.class).handled.get();
    }

    private KafkaTemplate<String, String> kafka() {
        return application.getBean(Application.Traffic.class).kafka();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableScheduling
    @Import(ConsoleSecurity.class)
    static class Application {

        record Billing(JdbcTemplate jdbc) {

            @KafkaListener(id = "billing", groupId = "bank-billing", topics = "orders")
            @Idempotent("billing")
            void charge(String order) {
                jdbc.update("insert into charge (reference) values (?::json ->> 'reference')", order);
            }
        }

        record Shipping(JdbcTemplate jdbc) {

            @KafkaListener(id = "shipping", groupId = "bank-shipping", topics = "parcels")
            @Idempotent("shipping")
            void ship(String parcel) {
                jdbc.update("insert into label (reference) values (?::json ->> 'reference')", parcel);
            }
        }

        record Mails(AtomicInteger handled) {

            @KafkaListener(id = "mails", groupId = "bank-mails", topics = "mails")
            @Idempotent("mails")
            void send(String mail) {
                handled.incrementAndGet();
            }
        }

        /** Sends mails all the time, some of them twice. */
        record Traffic(KafkaTemplate<String, String> kafka, AtomicLong sent) {

            @Scheduled(fixedDelay = 100)
            void send() {
                for (int i = 0; i < 4; i++) {
                    long number = sent.incrementAndGet();
                    ProducerRecord<String, String> record = new ProducerRecord<>("mails", null, "mail " + number);
                    record.headers().add("message-id", ("mail-" + number).getBytes(UTF_8));
                    kafka.send(record).join();
                    if (number % 9 == 0) {
                        kafka.send(record).join();
                    }
                }
            }
        }

        @Bean
        Billing billing(JdbcTemplate jdbc) {
            jdbc.execute("create table charge (reference varchar(20))");
            return new Billing(jdbc);
        }

        @Bean
        Shipping shipping(JdbcTemplate jdbc) {
            jdbc.execute("create table label (reference varchar(20))");
            return new Shipping(jdbc);
        }

        @Bean
        NewTopics topics() {
            return new NewTopics(
                    new NewTopic("orders", 4, (short) 1),
                    new NewTopic("parcels", 2, (short) 1),
                    new NewTopic("mails", 2, (short) 1));
        }

        @Bean
        Mails mails() {
            return new Mails(new AtomicInteger());
        }

        @Bean
        Traffic traffic(KafkaTemplate<String, String> kafka) {
            return new Traffic(kafka, new AtomicLong());
        }

        @Bean
        DefaultErrorHandler errorHandler(QuarantineRecoverer recoverer) {
            return new DefaultErrorHandler(recoverer, new FixedBackOff(0, 2));
        }

        @Bean
        Standstills standstills() {
            return new Standstills(() -> System.nanoTime() + AHEAD.get(), Instant::now);
        }

        @Bean
        UserDetailsService users() {
            return new InMemoryUserDetailsManager(
                    User.withUsername("ada").password("{noop}a").roles("ADMIN").build(),
                    User.withUsername("bob").password("{noop}b").roles("READER").build());
        }
    }
}

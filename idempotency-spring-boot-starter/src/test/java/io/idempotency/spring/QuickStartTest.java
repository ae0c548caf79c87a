package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;

/** The quick start of the README: the first code there comes from here. */
class QuickStartTest {

    static class Ledger {

        private final JdbcTemplate jdbc;

        Ledger(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
            jdbc.execute("create table posting (payment varchar(100))");
        }

        void post(String payment) {
            jdbc.update("insert into posting values (?)", payment);
        }

        List<String> postings() {
            return jdbc.queryForList("select payment from posting order by payment", String.class);
        }
    }

    static class Payments {

        private final Ledger ledger;

        Payments(Ledger ledger) {
            this.ledger = ledger;
        }

        // tag::listener[]
        @KafkaListener(topics = "payments", groupId = "ledger")
        @Idempotent("billing")
        void post(String payment) {
            ledger.post(payment);
        }
        // end::listener[]
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {

        @Bean
        Ledger ledger(JdbcTemplate jdbc) {
            return new Ledger(jdbc);
        }

        @Bean
        Payments payments(Ledger ledger) {
            return new Payments(ledger);
        }

        @Bean
        Sender sender(KafkaTemplate<Object, Object> template) {
            return (id, payment) -> {
                ProducerRecord<Object, Object> record = new ProducerRecord<>("payments", payment);
                record.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
                template.send(record).join();
            };
        }
    }

    /** Sends a payment. */
    interface Sender {
        void send(String id, String payment);
    }

    @Test
    void oneDependencyOneAnnotationAndTwoPropertiesAreEnough() {
        TestServers.createTopic("payments");
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.kafka.bootstrap-servers=" + TestServers.bootstrapServers(),
                        "spring.datasource.url=" + TestServers.database(),
                        "spring.flyway.enabled=false",
                        "spring.kafka.consumer.auto-offset-reset=earliest",
                        "idempotency.schema.mode=always")
                .run()) {
            Sender sender = context.getBean(Sender.class);
            sender.send("pay-1", "anna,10.50");
            sender.send("pay-1", "anna,10.50");
            sender.send("pay-2", "bert,1.00");

            Ledger ledger = context.getBean(Ledger.class);
            await().untilAsserted(() -> assertThat(ledger.postings()).contains("bert,1.00"));
            await().during(java.time.Duration.ofMillis(500))
                    .untilAsserted(() -> assertThat(ledger.postings()).containsExactly("anna,10.50", "bert,1.00"));
        }
    }
}

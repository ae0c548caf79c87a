package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.outbox.Outbox;
import io.idempotency.outbox.OutboxStore;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;

/** The relay of one application sends the outputs of another one. */
class OutboxElsewhereTest {

    private static ListenerBench bench(String database, String... more) {
        return new ListenerBench()
                .withoutJpa()
                .with("spring.datasource.url=" + database, "idempotency.outbox.enabled=true")
                .with(more);
    }

    private static long listening(ListenerBench bench) {
        Long listening = bench.bean(JdbcTemplate.class)
                .queryForObject(
                        "select count(*) from pg_stat_activity where datname = current_database()"
                                + " and state = 'idle' and query = 'listen idempotency_outbox'",
                        Long.class);
        return listening == null ? 0 : listening;
    }

    @Test
    @Tag("rule-11.6")
    void isToldOfOutputsOfAnApplicationWithoutARelay() {
        String database = TestServers.database();
        try (ListenerBench relaying = bench(database, "idempotency.outbox.interval=1h");
                ListenerBench storing = bench(database, "idempotency.outbox.relay=false")) {
            BenchTopic topic = relaying.topic("out");
            relaying.start();
            ListenerBench.await().until(() -> listening(relaying) == 1);
            storing.start();

            @SuppressWarnings("unchecked")
            Outbox<Object, Object> outbox = storing.bean(Outbox.class);
            outbox.send(topic.name, "key", "value");

            ListenerBench.await()
                    .until(() -> relaying.bean(OutboxStore.class).total().waiting() == 0);
            assertThat(topic.read()).extracting(ConsumerRecord::value).containsExactly("value");
        }
    }

    @Test
    void takesNoConnectionToListenIfThatIsSwitchedOffOrThePoolIsSmall() {
        for (String setting :
                new String[] {"idempotency.outbox.listen=false", "spring.datasource.hikari.maximum-pool-size=2"}) {
            try (ListenerBench bench = bench(TestServers.database(), setting)) {
                BenchTopic topic = bench.topic("out");
                bench.start();

                @SuppressWarnings("unchecked")
                Outbox<Object, Object> outbox = bench.bean(Outbox.class);
                outbox.send(topic.name, "key", "value");
                ListenerBench.await()
                        .until(() -> bench.bean(OutboxStore.class).total().waiting() == 0);

                assertThat(listening(bench)).as(setting).isZero();
            }
        }
    }
}

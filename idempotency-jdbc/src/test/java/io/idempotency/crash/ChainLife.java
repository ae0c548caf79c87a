package io.idempotency.crash;

import io.idempotency.IdempotentConsumer;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.outbox.Outbox;
import io.idempotency.outbox.OutboxRelay;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.jdbc.core.JdbcTemplate;

/** One life of a service in a chain: it takes orders from its topic, writes each down, and passes it on by its outbox. It lives until it is killed. */
public final class ChainLife {

    /** The number of services. */
    static final int SERVICES = 3;

    private ChainLife() {}

    /** The topic of a service; the one behind the last service has what all have done. */
    static String topic(String chain, int service) {
        return chain + "-" + service;
    }

    /** The tables of a service. */
    static String prefix(String chain, int service) {
        return chain + service + "_";
    }

    /** Takes the chain, the number of the service from 0, and the brokers. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Life.quieten();
        String chain = args[0];
        int service = Integer.parseInt(args[1]);
        String prefix = prefix(chain, service);
        try (var dataSource = Database.named().pool(6)) {
            JdbcTransactions transactions = JdbcTransactions.on(dataSource);
            JdbcTemplate effects = new JdbcTemplate(transactions.dataSource());
            JdbcOutbox outputs = JdbcOutbox.on(dataSource).tablePrefix(prefix);
            OutboxRelay relay = OutboxRelay.of(outputs, Map.of("bootstrap.servers", args[2]))
                    .start();
            Outbox<String, String> outbox = Outbox.of(outputs, new StringSerializer(), new StringSerializer())
                    .waking(relay::wake);
            IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer("step")
                    .store(TableStore.builder(dataSource).tablePrefix(prefix).build())
                    .build();
            PollLoop<String, String> loop = PollLoop.of(RecordProcessor.of(consumer, (record, claim) -> {
                        effects.update(
                                "insert into " + prefix + "effect (customer, number) values (?, ?)",
                                record.key(),
                                Long.valueOf(record.value()));
                        outbox.send(topic(chain, service + 1), record.key(), record.value());
                    }))
                    .properties(properties(args[2], prefix))
                    .topics(topic(chain, service))
                    .pollTimeout(Duration.ofMillis(200))
                    .build();
            Life.runToTheEnd(loop);
            relay.close();
        }
    }

    private static Map<String, Object> properties(String servers, String group) {
        return Map.of(
                "bootstrap.servers",
                servers,
                "group.id",
                group,
                "auto.offset.reset",
                "earliest",
                "session.timeout.ms",
                "6000",
                "heartbeat.interval.ms",
                "500",
                "max.poll.records",
                "200",
                "key.deserializer",
                StringDeserializer.class,
                "value.deserializer",
                StringDeserializer.class);
    }

    /** The arguments that {@link #main} understands. */
    static List<String> arguments(String chain, int service, String servers) {
        return List.of(chain, String.valueOf(service), servers);
    }
}

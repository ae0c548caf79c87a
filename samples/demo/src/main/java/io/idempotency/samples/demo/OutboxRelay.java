package io.idempotency.samples.demo;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A process that sends the payments of the {@link Outbox} and then marks them as sent. If it is killed between the two, it sends its last payments again
 * after its restart, although its producer is idempotent.
 */
final class OutboxRelay {

    private static final int BATCH = 200;
    private static final int REST_MILLIS = 200;

    private OutboxRelay() {}

    /** Arguments: address of the broker, of the database, and how many batches to send until the crash. */
    public static void main(String[] args) throws Exception {
        Outbox outbox = new Outbox(Database.pool(args[1], 1));
        int batchesToCrash = Integer.parseInt(args[2]);
        Commands commands = Commands.listen(Map.of());
        Map<String, Object> config =
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, args[0], ProducerConfig.CLIENT_ID_CONFIG, "relay");
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            while (true) {
                List<Outbox.Waiting> waiting = outbox.first(BATCH);
                if (waiting.isEmpty()) {
                    if (commands.isLeaving()) {
                        return;
                    }
                    TimeUnit.MILLISECONDS.sleep(REST_MILLIS);
                    continue;
                }
                send(producer, waiting);
                if (--batchesToCrash == 0) {
                    Runtime.getRuntime().halt(Saboteur.HALTED);
                }
                outbox.remove(waiting);
                TimeUnit.MILLISECONDS.sleep(waiting.size() < BATCH ? REST_MILLIS : 0);
            }
        }
    }

    private static void send(KafkaProducer<String, String> producer, List<Outbox.Waiting> waiting)
            throws ExecutionException, InterruptedException {
        List<Future<RecordMetadata>> sent = waiting.stream()
                .map(each -> producer.send(PaymentTopic.message(each.payment())))
                .toList();
        for (Future<RecordMetadata> each : sent) {
            each.get();
        }
    }
}

package io.idempotency.samples.streams;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.StandbyUpdateListener;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.processor.TaskId;

/**
 * One process of the application. It gets the traps to set on its standard input, one on each line: the name of an {@link Accident} and a number. It ends in
 * order when its input ends.
 */
public final class LedgerProcess {

    private LedgerProcess() {}

    /** Runs it; arguments are the address of the broker, the guarantee, the variant, a folder for its state, and perhaps a trap. */
    public static void main(String[] arguments) throws IOException {
        String guarantee = arguments[1];
        Trap trap = new Trap();
        if (arguments.length > 4) {
            set(trap, arguments[4]);
        }
        KafkaStreams streams = new KafkaStreams(
                LedgerTopology.of(arguments[2], Payments.in(guarantee), Payments.out(guarantee), trap),
                settings(arguments[0], guarantee, arguments[3]),
                new TrappedClients(trap));
        // A partition may come back as a standby first, which is warmed up.
        streams.setGlobalStateRestoreListener(new RestoreTrap(trap));
        streams.setStandbyUpdateListener(new WarmUpTrap(trap));
        streams.setStateListener((now, before) -> {
            // At its begin, or at its end if it has begun before the trap was set.
            if (now == State.REBALANCING || before == State.REBALANCING) {
                trap.reach(Accident.DURING_A_REBALANCE);
            }
        });
        streams.start();
        try (BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                set(trap, line);
            }
        }
        streams.close();
    }

    private static void set(Trap trap, String line) {
        String[] words = line.split(" ", 2);
        trap.set(Accident.valueOf(words[0]), Integer.parseInt(words[1]));
    }

    private static Properties settings(String broker, String guarantee, String folder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, Payments.group(guarantee));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200);
        // A restarted process gets its partitions back at once, and restores their state. A killed one is noticed soon.
        settings.put(StreamsConfig.ACCEPTABLE_RECOVERY_LAG_CONFIG, Long.MAX_VALUE);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 2_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 300);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), 3_000);
        return settings;
    }

    private record RestoreTrap(Trap trap) implements StateRestoreListener {

        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {}

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long at, long restored) {
            trap.reach(Accident.DURING_A_RESTORE);
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long restored) {}
    }

    private record WarmUpTrap(Trap trap) implements StandbyUpdateListener {

        @Override
        public void onUpdateStart(TopicPartition partition, String store, long from) {}

        @Override
        public void onBatchLoaded(TopicPartition partition, String store, TaskId task, long at, long loaded, long end) {
            trap.reach(Accident.DURING_A_RESTORE);
        }

        @Override
        public void onUpdateSuspended(
                TopicPartition partition, String store, long at, long end, SuspendReason reason) {}
    }
}

package io.idempotency.samples.bulk;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.PollLoop;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.store.ClaimStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Loads a topic of JSON or Avro into a table of PostgreSQL, without code: a file of {@linkplain LoaderSettings properties} says what. Batches are gathered by number and time, and
 * written by {@code COPY} on the connection of the claim. A row that fails is quarantined, and the others of its batch are loaded. A replay loads it when it was mended.
 */
final class BulkLoader implements AutoCloseable {

    private static final Duration CHUNK_TIME = Duration.ofSeconds(60);
    private static final String HELP = """
            usage: bulk-loader [--dry-run] FILE

            Loads a topic into a table as FILE says, until it is ended. --dry-run reads the topic, says which records make no row, and writes nothing.
            The comment of LoaderSettings shows a FILE.""";

    private final HikariDataSource dataSource;
    private final PollLoop<byte[], byte[]> loop;
    private final Purger purger;
    private final Progress progress = new Progress();

    BulkLoader(LoaderSettings settings) {
        HikariConfig pool = new HikariConfig();
        pool.setJdbcUrl(settings.database().url());
        if (!settings.database().user().isEmpty()) {
            pool.setUsername(settings.database().user());
            pool.setPassword(settings.database().password());
        }
        pool.setMaximumPoolSize(5);
        this.dataSource = new HikariDataSource(pool);
        Schema.on(dataSource).create();
        ClaimStore store = settings.isJournal()
                ? JournalStore.builder(dataSource).build()
                : TableStore.builder(dataSource).build();
        IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer = KafkaRecords.<byte[], byte[]>consumer(
                        settings.name())
                .store(store)
                .level(settings.level())
                .quarantine(JdbcQuarantine.on(dataSource))
                .failures(FailurePolicy.quarantineAfter(settings.attempts()))
                .chunk(settings.batchRecords(), CHUNK_TIME)
                .listener(progress)
                .build();
        CopyHandler handler = new CopyHandler(
                settings.level() == ConsistencyLevel.STRONG
                        ? JdbcTransactions.on(dataSource).dataSource()
                        : dataSource,
                settings);
        Map<String, Object> kafka = new HashMap<>(settings.kafka());
        kafka.put("key.deserializer", ByteArrayDeserializer.class);
        kafka.put("value.deserializer", ByteArrayDeserializer.class);
        this.loop = PollLoop.of(RecordProcessor.batches(consumer, handler))
                .properties(kafka)
                .topics(settings.topic())
                .gather(settings.batchRecords(), settings.batchTime())
                .replays(JdbcReplays.on(dataSource))
                .build();
        this.purger = Purger.of(store).start();
    }

    /** Loads until it is closed. */
    void run() {
        loop.run();
    }

    Optional<Throwable> failure() {
        return loop.failure();
    }

    Progress progress() {
        return progress;
    }

    /** Ends with the batch that is being written. */
    @Override
    public void close() {
        loop.close();
        purger.close();
        dataSource.close();
    }

    /** Loads as a file says; Ctrl-C ends it. */
    public static void main(String[] args) throws IOException, InterruptedException {
        boolean isDry = args.length == 2 && args[0].equals("--dry-run");
        if (args.length != 1 && !isDry) {
            System.err.println(HELP);
            System.exit(2);
        }
        try {
            LoaderSettings settings = LoaderSettings.read(Path.of(args[args.length - 1]));
            if (isDry) {
                System.exit(new DryRun(settings, System.out::println).run() ? 0 : 1);
            }
            load(settings);
        } catch (LoaderSettings.InvalidException e) {
            System.err.println(e.getMessage());
            System.exit(2);
        }
    }

    private static void load(LoaderSettings settings) throws InterruptedException {
        BulkLoader loader = new BulkLoader(settings);
        Thread loading = new Thread(loader::run, "loader");
        Runtime.getRuntime().addShutdownHook(new Thread(loader::close));
        loading.start();
        while (loading.isAlive()) {
            loading.join(5_000);
            System.out.println(loader.progress().line());
        }
        loader.failure().ifPresent(failure -> System.exit(1));
    }
}

package io.idempotency.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.benchmarks.Library.Handler;
import io.idempotency.jdbc.TableStore;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Runs a contestant in a JVM of its own: a {@link Round} for each line of its standard input, with a line as the answer. It ends
 * with its input.
 *
 * <p>Names: {@code read}; {@code bare-batch}, {@code bare-batch-async}, {@code bare-poll}, {@code bare-record}; {@code spring-bare-batch}, {@code
 * spring-handwritten} (listeners without this library); {@code handwritten}, {@code camel}, {@code spring-integration}, {@code eventuate-tram}; {@code table} or {@code journal}, then {@code -batch}, {@code -poll} or {@code -record},
 * with {@code starter-} in front if it is through the starter, and {@code metered-} if that has meters and health; {@code shadow-hanging-batch}, {@code shadow-hanging-poll}, {@code
 * shadow-table-poll}; {@code journal-warm-up}, {@code journal-plain-read}; {@code table-purge},
 * {@code journal-purge}.
 */
public final class Contestant {

    private static final int CONNECTIONS = 4;

    private final String broker;
    private final String database;
    private final HikariDataSource pool;
    private final Effects effects;
    private final TransactionTemplate transactions;

    private Contestant(String broker, String database) {
        this.broker = broker;
        this.database = database;
        this.pool = pool(database);
        this.effects = new Effects(pool);
        this.transactions = new TransactionTemplate(new JdbcTransactionManager(pool));
    }

    /** Arguments: the address of the broker, that of the database, and the name of the contestant. */
    public static void main(String[] args) throws Exception {
        Rounds rounds = new Contestant(args[0], args[1]).rounds(args[2]);
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Outcome outcome = rounds.run(Json.MAPPER.readValue(line, Round.class));
                System.out.println(Child.ANSWER + Json.MAPPER.writeValueAsString(outcome));
            }
        }
        System.exit(0);
    }

    static HikariDataSource pool(String database) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database);
        config.setMaximumPoolSize(CONNECTIONS);
        return new HikariDataSource(config);
    }

    private Rounds rounds(String name) {
        Peers peers = new Peers(pool, transactions, effects);
        return switch (name) {
            case "read" -> reader(round -> Steps.reading());
            case "bare-batch" -> reader(round -> Steps.pollByPoll(this::together));
            case "bare-batch-async" -> reader(round -> Steps.pollByPollWithoutWaiting(this::together));
            case "bare-poll" -> reader(round -> Steps.pollByPoll(this::inTurn));
            case "bare-record" ->
                reader(round ->
                        Steps.oneByOne(message -> transactions.executeWithoutResult(status -> effects.one(message))));
            case "shadow-hanging-batch" -> reader(round -> new Watching(Watching.hanging(), this::together));
            case "shadow-hanging-poll" -> reader(round -> new Watching(Watching.hanging(), this::inTurn));
            case "shadow-table-poll" ->
                reader(round -> new Watching(
                        TableStore.builder(pool)
                                .tablePrefix(round.library().tables())
                                .build(),
                        this::inTurn));
            case "handwritten" -> reader(round -> Steps.oneByOne(peers.handWritten()));
            case "spring-bare-batch" -> SpringAlone.bare(broker, database);
            case "spring-handwritten" -> SpringAlone.handWritten(broker, database);
            case "camel" -> reader(round -> Steps.oneByOne(peers.camel()));
            case "spring-integration" -> reader(round -> Steps.oneByOne(peers.springIntegration()));
            case "eventuate-tram" -> reader(round -> Steps.oneByOne(peers.eventuateTram()));
            case "journal-warm-up" -> new JournalReading(pool)::warmUp;
            case "journal-plain-read" -> new JournalReading(pool)::plainRead;
            case "table-purge" -> round -> purge(Library.table(pool, Handler.BATCH, effects, round));
            case "journal-purge" -> round -> purge(Library.journal(pool, Handler.BATCH, effects, round));
            default -> library(name);
        };
    }

    private void together(List<ConsumerRecord<byte[], byte[]>> messages) {
        transactions.executeWithoutResult(status -> effects.all(messages));
    }

    private void inTurn(List<ConsumerRecord<byte[], byte[]>> messages) {
        transactions.executeWithoutResult(status -> messages.forEach(effects::one));
    }

    private Rounds library(String name) {
        if (!name.matches("(starter-|metered-)?(table|journal)-(batch|poll|record)")) {
            throw new IllegalArgumentException("There is no contestant " + name);
        }
        Handler handler =
                Handler.valueOf(name.substring(name.lastIndexOf('-') + 1).toUpperCase(Locale.ROOT));
        boolean isJournal = name.contains("journal");
        boolean isMetered = name.startsWith("metered-");
        if (isMetered || name.startsWith("starter-")) {
            return Starter.rounds(broker, database, isJournal, handler, isMetered);
        }
        return reader(round -> isJournal
                ? Library.journal(pool, handler, effects, round)
                : Library.table(pool, handler, effects, round));
    }

    private Rounds reader(Function<Round, Step> steps) {
        return new Reader(broker, steps);
    }

    private static Outcome purge(Step step) {
        try (step) {
            long began = System.nanoTime();
            int messages = step.purge();
            return Outcome.of(messages, (System.nanoTime() - began) / 1e9, 0);
        }
    }
}

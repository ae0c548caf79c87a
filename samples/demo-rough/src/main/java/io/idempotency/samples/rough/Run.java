package io.idempotency.samples.rough;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.samples.demo.Broker;
import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import io.idempotency.store.MessageId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** A run on one database. */
final class Run {

    private static final int LOOK_EVERY_MILLIS = 200;
    private static final int PROGRESS_EVERY_MILLIS = 5_000;

    private final Settings settings;
    private final String database;
    private final Screen screen;
    private final Plan plan;
    private final Server server;
    private final Topics topics;
    private final Worker worker;
    private final Path logs;
    private int kills;
    private long deaths;

    private Run(Settings settings, String database, Cleanup cleanup) throws Exception {
        this.settings = settings;
        this.database = database;
        this.screen = new Screen();
        this.plan = new Plan(settings.messages(), settings.seed(), settings.kills() > 0);
        Path files = cleanup.temporary(settings.folder().resolve("run-" + database));
        this.logs = settings.folder().resolve("logs-" + database);
        Cleanup.delete(logs);
        Files.createDirectories(logs);
        this.server = cleanup.start(() -> server(files));
        server.createTables();
        Broker broker = cleanup.start(() -> Broker.start(files.resolve("kafka"), 0, 0));
        this.topics = cleanup.after(new Topics(broker.address()));
        topics.create();
        screen.say(database + ": sent " + topics.send(plan, settings.seed()) + " records of " + plan.size()
                + " messages, logs in " + logs);
        this.worker = cleanup.start(() -> new Worker(server, broker.address(), files, logs));
        cleanup.after(screen);
    }

    private Server server(Path files) throws Exception {
        Path binaries = settings.folder().resolve("programs-" + database);
        return database.equals(Settings.MARIADB) ? MariaDb.start(binaries, files) : Postgresql.start(binaries, files);
    }

    /** Runs, and returns whether all is good. */
    static boolean on(String database, Settings settings, Cleanup cleanup) throws Exception {
        Run run = new Run(settings, database, cleanup);
        run.untilSettled();
        run.worker.leave();
        return run.judge();
    }

    private void untilSettled() throws Exception {
        long nextProgress = 0;
        while (true) {
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
            if (worker.hasFailed()) {
                screen.problem("the service ended by itself, see " + logs);
                return;
            }
            killIfItIsTime();
            if (screen.elapsed().toMillis() < nextProgress) {
                continue;
            }
            nextProgress = screen.elapsed().toMillis() + PROGRESS_EVERY_MILLIS;
            Map<String, Long> lag = topics.lag();
            long effects = server.count("effect") / 2;
            screen.say(String.format(
                    Locale.ROOT,
                    "%s: effects %,d, killed %d times, records left %s",
                    database,
                    effects,
                    worker.kills(),
                    lag));
            if (lag.isEmpty()) {
                return;
            }
            if (kills < settings.kills() && effects > (long) plan.size() * (kills + 1) / (settings.kills() + 1)) {
                kills++;
                kill("at any time");
            }
            if (screen.elapsed().compareTo(settings.limit()) > 0) {
                screen.problem("after " + settings.limit().toMinutes() + " minutes there are records left: " + lag);
                return;
            }
        }
    }

    private void killIfItIsTime() throws Exception {
        long now = server.count("death");
        if (now > deaths) {
            deaths = now;
            kill("between an early commit and its proof");
        }
    }

    private void kill(String when) throws IOException, InterruptedException {
        worker.killAndStartAgain();
        screen.say(database + ": the service was killed " + when + ", and is started again");
    }

    private boolean judge() throws SQLException {
        List<Verdict> verdicts = verdicts();
        Verdict total = Verdict.none(database);
        for (Verdict verdict : verdicts) {
            System.out.println(verdict.line());
            total = total.plus(verdict);
        }
        total.examples().forEach(screen::problem);
        server.query("select text from problem", row -> row.getString(1)).stream()
                .limit(5)
                .forEach(screen::problem);
        if (deaths < plan.count(Deed.DIES)) {
            screen.problem("the service was killed only " + deaths + " times between an early commit and its proof");
        }
        System.out.println(total.line() + " kills=" + worker.kills());
        return total.isGood() && screen.problems().isEmpty();
    }

    private List<Verdict> verdicts() throws SQLException {
        Set<String> settled = new HashSet<>(server.query("select tx from settled", row -> row.getString(1)));
        Audit audit = new Audit(
                server.query(
                        "select e.listener, e.message, e.tx, e.part, e.is_auto, c.tx from effect e"
                                + " left join early_commit c on c.tx = e.tx and c.segment = e.segment"
                                + " where e.tx <> ''",
                        row -> new Effect(
                                row.getString(1),
                                row.getInt(2),
                                row.getString(3),
                                row.getInt(5) != 0 || row.getString(6) != null,
                                row.getInt(4))),
                settled);
        auditEvents();
        List<Verdict> verdicts = new ArrayList<>();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(server.url());
        config.setMaximumPoolSize(2);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            JdbcQuarantine quarantine = JdbcQuarantine.on(pool);
            for (Step step : Step.all()) {
                Set<String> quarantined = new HashSet<>();
                for (MessageId id : quarantine.list(step.title(), Integer.MAX_VALUE)) {
                    quarantined.add(id.value());
                }
                verdicts.add(audit.of(step.title(), plan.orders(step), quarantined));
            }
        }
        return verdicts;
    }

    /** Checks that an event consumed after the commit has at most one effect. A crash may come between, so it may have none. */
    private void auditEvents() throws SQLException {
        String more = "select message from effect where listener = '%s' group by message having count(*) > %d";
        for (int message : server.query(String.format(Locale.ROOT, more, AfterCommit.ASIDE, 1), row -> row.getInt(1))) {
            screen.problem("the event of order " + message + " has more than one effect");
        }
        for (int message :
                server.query(String.format(Locale.ROOT, more, AfterCommit.REFUSED, 0), row -> row.getInt(1))) {
            screen.problem("the event of order " + message + " has an effect, although no transaction could commit it");
        }
        screen.say(database + ": "
                + server.count("effect where listener = '" + AfterCommit.ASIDE + "'")
                + " events consumed after their commit, "
                + server.count("early_commit") + " early commits");
    }
}

package io.idempotency.samples.services;

import io.idempotency.Explanation;
import io.idempotency.Operations;
import io.idempotency.jdbc.JdbcAudit;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.TableStore;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import javax.sql.DataSource;

/** A service as its operator sees it: one node with its settings and its log, a database, a group, a consumer name. The node gets a new log at each start. */
final class Deployment {

    private final Site site;
    private final String name;
    private final String module;
    private final String topic;
    private final Map<String, String> settings = new TreeMap<>();
    private String consumer;
    private int starts;

    /** @param name the name of its database, its group and its consumer */
    Deployment(Site site, String name, String module, String topic) {
        this.site = site;
        this.name = name;
        this.module = module;
        this.topic = topic;
        this.consumer = name;
    }

    String consumer() {
        return consumer;
    }

    String topic() {
        return topic;
    }

    /** Says which name the consumer has from the next start on. */
    void renamed(String newName) {
        consumer = newName;
    }

    /** Changes a setting, from the next start on. */
    Deployment set(String property, String value) {
        settings.put(property, value);
        return this;
    }

    /** Starts the node with its settings. */
    void start() throws IOException {
        starts++;
        List<String> arguments = settings.entrySet().stream()
                .map(setting -> "--" + setting.getKey() + "=" + setting.getValue())
                .toList();
        site.services().start(name + "-" + starts, module, name, arguments);
    }

    /** Asks the node to end, and waits until it has. */
    void stop() {
        node().leave();
        node().awaitEnd();
    }

    void restart() throws IOException {
        stop();
        start();
    }

    /** Sets the offsets of the group back to the first records. The node must not run. */
    void rewind() throws ExecutionException, InterruptedException {
        site.topics().rewind(topic, name);
    }

    long lag() throws ExecutionException, InterruptedException {
        return site.topics().lag(topic, name);
    }

    private Service node() {
        return site.services().node(name + "-" + starts);
    }

    /** Returns how many lines with a text the node has logged since its start. */
    long said(String text) throws IOException {
        try (Stream<String> lines = Files.lines(node().log())) {
            return lines.filter(line -> line.contains(text)).count();
        }
    }

    /** Returns how many messages the node has skipped since its start, each counted once, although a rebalance may deliver it again. */
    long skipped() throws IOException {
        return skipped(", a ");
    }

    /** Returns how many of them had been processed at another position. */
    long resendsSkipped() throws IOException {
        return skipped(", a RESEND of ");
    }

    private long skipped(String kind) throws IOException {
        try (Stream<String> lines = Files.lines(node().log())) {
            return lines.filter(line -> line.contains(": Skipped ") && line.contains(kind))
                    .map(line -> line.substring(line.indexOf(": Skipped ")))
                    .distinct()
                    .count();
        }
    }

    /** Changes rows by statements in one transaction. Returns the number of rows that the last one changed. */
    int update(String... statements) throws SQLException {
        return site.databases().update(name, List.of(statements));
    }

    <T> List<T> query(String query, Databases.Row<T> reader) throws SQLException {
        return site.databases().query(name, query, reader);
    }

    int quarantined() {
        return site.databases().quarantined(name, consumer).size();
    }

    /** Returns what the library tells about a message, by its id or its position. */
    Explanation explain(String message) {
        return operations().explain(consumer, message).get(0);
    }

    Operations operations() {
        DataSource dataSource = site.databases().dataSource(name);
        return Operations.of(TableStore.on(dataSource), JdbcQuarantine.on(dataSource), JdbcAudit.on(dataSource))
                .as("ada", "cli");
    }
}

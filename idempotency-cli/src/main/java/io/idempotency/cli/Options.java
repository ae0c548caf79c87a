package io.idempotency.cli;

import java.io.File;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command without a verb, and the options of all verbs. They may stand before and after the verb. */
@Command(
        name = IdempotencyCli.NAME,
        description = {
            "Shows and changes what the library remembers in a database.",
            "",
            "The password comes from the environment, IDEMPOTENCY_PASSWORD or, for PostgreSQL, PGPASSWORD; otherwise"
                    + " the command asks for it. It is never an argument, because others see these.",
            ""
        })
final class Options {

    static final String DEFAULT_PREFIX = "idempotency_";

    /** The kind of a store. */
    enum Store {
        table,
        journal
    }

    @Option(
            names = "--url",
            scope = ScopeType.INHERIT,
            paramLabel = "<jdbc-url>",
            description = "Where the database is, such as jdbc:postgresql://db/orders. By default IDEMPOTENCY_URL.")
    private Optional<String> url = Optional.empty();

    @Option(
            names = "--user",
            scope = ScopeType.INHERIT,
            paramLabel = "<name>",
            description = "The user of the database. By default IDEMPOTENCY_USER.")
    private Optional<String> user = Optional.empty();

    @Option(
            names = "--driver",
            scope = ScopeType.INHERIT,
            paramLabel = "<jar>",
            description = "A jar with a JDBC driver. Those of PostgreSQL and MariaDB are inside. May be repeated.")
    private List<File> drivers = List.of();

    @Option(
            names = "--schema",
            scope = ScopeType.INHERIT,
            paramLabel = "<name>",
            description = "The schema of the tables. By default the connection's own.")
    private String schema = "";

    @Option(
            names = "--table-prefix",
            scope = ScopeType.INHERIT,
            paramLabel = "<prefix>",
            description = "How the names of the tables begin. By default " + DEFAULT_PREFIX + ".")
    private String tablePrefix = DEFAULT_PREFIX;

    @Option(
            names = "--store",
            scope = ScopeType.INHERIT,
            paramLabel = "table|journal",
            description = "The store of a consumer that has changed its store. Otherwise the tables tell.")
    private Optional<Store> store = Optional.empty();

    @Option(
            names = "--output",
            scope = ScopeType.INHERIT,
            paramLabel = "table|json",
            description = "How the result looks. By default table.")
    private Output.Format format = Output.Format.table;

    @Option(
            names = "--reason",
            scope = ScopeType.INHERIT,
            paramLabel = "<text>",
            description = "Why, such as the number of an incident. Acts on messages need it, and the audit keeps it.")
    private String reason = "";

    @Option(
            names = "--actor",
            scope = ScopeType.INHERIT,
            paramLabel = "<name>",
            description = "Who acts, for the audit. By default the user of the operating system.")
    private String actor = System.getProperty("user.name", "unknown");

    @Option(names = "--yes", scope = ScopeType.INHERIT, description = "Does not ask whether to go on.")
    private boolean isSure;

    @Option(
            names = "--timeout",
            scope = ScopeType.INHERIT,
            paramLabel = "<duration>",
            converter = Moments.OfDuration.class,
            description = "How long to wait for each answer of the database, such as 30s. By default 60s.")
    private Duration timeout = Duration.ofSeconds(60);

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Prints stack traces.")
    private boolean isDebug;

    Optional<String> url() {
        return url;
    }

    Optional<String> user() {
        return user;
    }

    List<File> drivers() {
        return drivers;
    }

    String schema() {
        return schema;
    }

    String tablePrefix() {
        return tablePrefix;
    }

    Optional<Store> store() {
        return store;
    }

    Output.Format format() {
        return format;
    }

    String reason() {
        return reason;
    }

    String actor() {
        return actor;
    }

    boolean isSure() {
        return isSure;
    }

    Duration timeout() {
        return timeout;
    }

    boolean isDebug() {
        return isDebug;
    }
}

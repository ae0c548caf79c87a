package io.idempotency.cli;

import io.idempotency.jdbc.Schema;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The tables. */
final class SchemaCommands {

    private SchemaCommands() {}

    /** The group of these verbs. */
    @Command(
            name = "schema",
            description = {"Prints, checks or creates the tables.", ""})
    static final class Group {}

    /** Prints the script. */
    @Command(
            name = "print",
            description = {
                "Prints the statements that create the tables in this database, with all names filled in.",
                ""
            },
            footer = {"", "Example:", "  idempotency schema print --table-prefix billing_ > V7__idempotency.sql"})
    static final class Print extends Reading {

        Print(Session session) {
            super(session);
        }

        @Override
        int run(Database database, Output output) {
            String script = database.schema().script();
            if (output.format() == Output.Format.json) {
                output.one(Fields.of("script", script));
            } else {
                output.text(script);
            }
            return ExitCode.DONE;
        }
    }

    /** Checks the tables. */
    @Command(
            name = "validate",
            description = {"Says whether the tables are there, with the columns that this version needs.", ""},
            footer = {"", "Example:", "  idempotency schema validate || idempotency schema migrate"})
    static final class Validate extends Reading {

        Validate(Session session) {
            super(session);
        }

        @Override
        int run(Database database, Output output) {
            return told(database.schema(), output) ? ExitCode.DONE : ExitCode.REFUSED;
        }
    }

    private static boolean told(Schema schema, Output output) {
        Optional<String> difference = schema.difference();
        output.result(
                difference.orElse("The tables are there, with their columns."),
                Fields.of("valid", difference.isEmpty()).and("difference", difference));
        return difference.isEmpty();
    }

    /** Creates or updates the tables. */
    @Command(
            name = "migrate",
            description = {
                "Creates or updates the tables by Flyway, which is inside, with a history in <prefix>schema_history.",
                ""
            },
            footer = {"", "Examples:", "  idempotency schema migrate --dry-run", "  idempotency schema migrate --yes"})
    static final class Migrate extends Writing {

        @Option(
                names = "--without-flyway",
                description = "Creates missing tables without a history, on databases that this Flyway does not know.")
        private boolean isPlain;

        Migrate(Session session) {
            super(session);
        }

        @Override
        boolean needsReason() {
            return false;
        }

        @Override
        int run(Database database, Output output) {
            Schema schema = database.schema();
            if (isDryRun()) {
                if (!told(schema, output)) {
                    output.note("Would create the tables as schema print shows them");
                }
                return ExitCode.DONE;
            }
            confirm("Create or update the tables " + session().options().tablePrefix() + "…?");
            if (isPlain) {
                schema.create();
            } else {
                schema.migrate();
            }
            return told(schema, output) ? ExitCode.DONE : ExitCode.REFUSED;
        }
    }
}

package io.idempotency.cli;

import io.idempotency.jdbc.Adopted;
import io.idempotency.jdbc.Adoption;
import io.idempotency.store.IdKind;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Takes ids from a table of the user's own. */
@Command(
        name = "adopt",
        description = {
            "Takes the ids of processed messages from a table of your own in the same database, so that their copies are skipped from then on. Consumers"
                    + " may run meanwhile. The same command may be run again. See docs/adoption.md.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  idempotency adopt --query \"select 'billing', message_id, processed_at from processed_message\""
        })
final class AdoptCommand extends Writing {

    @Option(
            names = "--query",
            required = true,
            paramLabel = "<sql>",
            description = "Returns consumer, id and time, in this order. The time is when the message was processed.")
    private String query = "";

    @Option(
            names = "--kind",
            paramLabel = "header|key|value|record",
            description = "Where the consumer finds its ids. By default header.")
    private Kind kind = Kind.header;

    @Option(
            names = "--retention",
            paramLabel = "<duration>",
            converter = Moments.OfDuration.class,
            description =
                    "How long the messages are remembered, from their own time on. By default as the application says.")
    private Optional<Duration> retention = Optional.empty();

    @Option(
            names = "--batch-size",
            paramLabel = "<rows>",
            description = "How many rows one transaction adopts. By default " + Adoption.DEFAULT_BATCH_SIZE + ".")
    private int batchSize = Adoption.DEFAULT_BATCH_SIZE;

    @Option(
            names = "--max-consumers",
            paramLabel = "<consumers>",
            description = "With more consumers the command ends: the columns may be swapped. By default "
                    + Adoption.DEFAULT_MAX_CONSUMERS + ".")
    private int maxConsumers = Adoption.DEFAULT_MAX_CONSUMERS;

    /** Where a record has its id. */
    enum Kind {
        header(IdKind.HEADER),
        key(IdKind.KEY),
        value(IdKind.VALUE),
        record(IdKind.RECORD);

        private final IdKind meant;

        Kind(IdKind meant) {
            this.meant = meant;
        }
    }

    AdoptCommand(Session session) {
        super(session);
    }

    @Override
    boolean needsReason() {
        return false;
    }

    @Override
    int run(Database database, Output output) {
        long rows = database.count(query);
        if (isDryRun() || rows == 0) {
            output.result(
                    "Would read " + rows + " row(s).", Fields.of("rows", rows).and("dryRun", isDryRun()));
            return rows == 0 ? ExitCode.NOTHING : ExitCode.DONE;
        }
        confirm("Adopt the ids of " + rows + " row(s)?");
        Progress progress = new Progress(output, "of " + rows + " rows read");
        Adoption.Builder adoption = Adoption.into(database.table())
                .from(database.connections(), query)
                .kind(kind.meant)
                .batchSize(batchSize)
                .maxConsumers(maxConsumers)
                .progress(soFar -> progress.accept(soFar.read()));
        Adopted adopted = retention.map(adoption::retention).orElse(adoption).run();
        output.result(
                "Done: " + adopted + ".",
                Fields.of("rows", adopted.read())
                        .and("adopted", adopted.adopted())
                        .and("known", adopted.known())
                        .and("unsettled", adopted.unsettled())
                        .and("old", adopted.old())
                        .and("dryRun", false));
        return ExitCode.DONE;
    }
}

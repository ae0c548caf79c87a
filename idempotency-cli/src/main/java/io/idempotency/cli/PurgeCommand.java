package io.idempotency.cli;

import io.idempotency.jdbc.Purger;
import io.idempotency.store.ClaimStore;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Forgets messages older than their retention. */
@Command(
        name = "purge",
        description = {
            "Forgets the messages of all consumers that are older than the retention stored for them, as the applications do from time to time. Does"
                    + " nothing while an application purges.",
            ""
        },
        footer = {"", "Examples:", "  idempotency purge --dry-run", "  idempotency purge --yes --batch-size 500"})
final class PurgeCommand extends Writing {

    @Option(
            names = "--batch-size",
            paramLabel = "<messages>",
            description =
                    "The most messages that one transaction forgets. By default " + Purger.DEFAULT_BATCH_SIZE + ".")
    private int batchSize = Purger.DEFAULT_BATCH_SIZE;

    PurgeCommand(Session session) {
        super(session);
    }

    @Override
    boolean needsReason() {
        return false;
    }

    @Override
    int run(Database database, Output output) {
        List<ClaimStore> stores = new ArrayList<>(List.of(database.table()));
        if (database.hasJournals()) {
            stores.add(database.journal());
        }
        long old = 0;
        for (ClaimStore store : stores) {
            try (Purger purger = Purger.of(store).build()) {
                old += purger.count();
            }
        }
        if (isDryRun()) {
            return told(output, "Would forget about ", old);
        }
        confirm("Forget about " + old + " message(s) that are older than the retention of their consumers?");
        long forgotten = 0;
        for (ClaimStore store : stores) {
            Progress progress = new Progress(output, "messages forgotten");
            try (Purger purger =
                    Purger.of(store).batchSize(batchSize).progress(progress).build()) {
                forgotten += purger.runOnce();
            }
        }
        return told(output, "Forgot ", forgotten);
    }

    private int told(Output output, String verb, long messages) {
        output.result(
                verb + messages + " message(s).",
                Fields.of("messages", messages).and("dryRun", isDryRun()));
        return ExitCode.DONE;
    }
}

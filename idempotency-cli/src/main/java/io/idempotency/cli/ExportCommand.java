package io.idempotency.cli;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineSummary;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes quarantined messages to a file. */
@Command(
        name = "export",
        description = {
            "Writes quarantined messages with all their bytes to a file, one JSON object in each line. They stay in quarantine. Bytes that are text"
                    + " can be mended with an editor, and be brought back by quarantine import --replace.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  idempotency quarantine export billing --file billing.jsonl",
            "  idempotency quarantine export billing --id 4711 | jq .value"
        })
final class ExportCommand extends Reading {

    private static final int PAGE = 100;

    @Parameters(paramLabel = "<consumer>", description = "The name of the consumer.")
    private String consumer = "";

    @Mixin
    private Selection selection = new Selection();

    @Option(
            names = "--file",
            paramLabel = "<file>",
            description =
                    "A new file. By default the messages go to stdout. The file has data of the messages: keep it as such.")
    private Optional<Path> file = Optional.empty();

    ExportCommand(Session session) {
        super(session);
    }

    @Override
    int run(Database database, Output output) {
        QuarantineSelection chosen = selection.of(consumer, database.operations());
        if (file.isEmpty()) {
            long messages = export(database, chosen, output, output.out());
            if (output.isBroken()) {
                throw new IdempotencyException("Could not write to stdout, so the export is incomplete");
            }
            return told(database, chosen, output, messages);
        }
        try (PrintWriter writer = new PrintWriter(
                Files.newBufferedWriter(file.get(), StandardCharsets.UTF_8, StandardOpenOption.CREATE_NEW))) {
            long messages = export(database, chosen, output, writer);
            if (writer.checkError()) {
                throw new IdempotencyException("Could not write to " + file.get() + ", which is incomplete");
            }
            return told(database, chosen, output, messages);
        } catch (FileAlreadyExistsException e) {
            throw new UsageException("There is a file " + file.get() + " already: name a new one");
        } catch (IOException e) {
            throw new IdempotencyException("Could not write to " + file.get() + ": " + e.getMessage(), e);
        }
    }

    private int told(Database database, QuarantineSelection chosen, Output output, long messages) {
        if (messages == 0) {
            return QuarantineCommands.nothing(database, chosen, output);
        }
        output.note("Exported " + messages + " message(s) of " + consumer + ".");
        return ExitCode.DONE;
    }

    private static long export(Database database, QuarantineSelection chosen, Output output, PrintWriter writer) {
        Progress progress = new Progress(output, "messages exported", "begin again, with a new file");
        Optional<Delivery> last = Optional.empty();
        long exported = 0;
        List<QuarantineSummary> page;
        do {
            page = database.quarantine().list(chosen, last, PAGE);
            for (QuarantineSummary each : page) {
                last = Optional.of(each.delivery());
                Optional<QuarantineEntry> entry =
                        database.quarantine().find(each.delivery().id());
                if (entry.isPresent()) { // otherwise it was replayed meanwhile
                    writer.println(MessageFile.line(entry.get().message()));
                    exported++;
                }
            }
            progress.accept(exported);
        } while (page.size() == PAGE && !writer.checkError());
        return exported;
    }
}

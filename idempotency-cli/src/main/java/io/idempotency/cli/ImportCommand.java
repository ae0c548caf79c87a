package io.idempotency.cli;

import io.idempotency.Imported;
import io.idempotency.Operations;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.QuarantinedMessage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Puts exported messages into quarantine. */
@Command(
        name = "import",
        description = {
            "Puts messages of a file that quarantine export has written into quarantine. A message that is processed or dropped is left out, and so is one"
                    + " that belongs to a running replay. The same command may be run again.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  idempotency quarantine import billing billing.jsonl --dry-run",
            "  idempotency quarantine import billing mended.jsonl --replace --reason INC-42"
        })
final class ImportCommand extends Writing {

    @Parameters(index = "0", paramLabel = "<consumer>", description = "The consumer of all messages in the file.")
    private String consumer = "";

    @Parameters(index = "1", paramLabel = "<file>", description = "The file.")
    private Path file = Path.of("");

    @Option(
            names = "--replace",
            description = "A message that is in quarantine already gets the bytes and the failure of the file.")
    private boolean isReplacing;

    ImportCommand(Session session) {
        super(session);
    }

    @Override
    void check() {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new UsageException("There is no file " + file + " that can be read");
        }
        super.check();
    }

    @Override
    int run(Database database, Output output) {
        Operations operations = database.operations();
        Imported plan = reading(messages -> operations.countImportable(consumer, messages, isReplacing));
        if (isDryRun() || plan.added() + plan.replaced() == 0) {
            return told(output, "Would import ", plan);
        }
        confirm("Import " + counts(plan) + "?");
        return told(
                output,
                "Imported ",
                reading(messages -> operations.importQuarantined(
                        consumer, messages, isReplacing, reason(), new Progress(output, "messages read"))));
    }

    private static String counts(Imported messages) {
        return messages.added() + " new message(s) and " + messages.replaced() + " replaced one(s); "
                + messages.known() + " stay as they are, " + messages.settled() + " are processed or dropped, "
                + messages.busy() + " belong to a replay or are in progress";
    }

    private int told(Output output, String verb, Imported messages) {
        output.result(
                verb + counts(messages) + ".",
                Fields.of("consumer", consumer)
                        .and("added", messages.added())
                        .and("replaced", messages.replaced())
                        .and("known", messages.known())
                        .and("settled", messages.settled())
                        .and("busy", messages.busy())
                        .and("dryRun", isDryRun()));
        return messages.added() + messages.replaced() == 0 ? ExitCode.NOTHING : ExitCode.DONE;
    }

    private Imported reading(Function<Iterator<QuarantinedMessage>, Imported> work) {
        AtomicLong number = new AtomicLong();
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            return work.apply(reader.lines()
                    .peek(line -> number.incrementAndGet())
                    .filter(line -> !line.isBlank())
                    .map(line -> message(line, number.get()))
                    .iterator());
        } catch (IOException | UncheckedIOException e) {
            throw new IdempotencyException("Could not read " + file + ": " + e.getMessage(), e);
        }
    }

    private QuarantinedMessage message(String line, long number) {
        try {
            QuarantinedMessage message = MessageFile.message(line);
            if (!message.delivery().id().consumer().equals(consumer)) {
                throw new IdempotencyException(
                        "The message is one of " + message.delivery().id().consumer() + ", not of " + consumer);
            }
            return message;
        } catch (IdempotencyException e) {
            throw new IdempotencyException(file + ", line " + number + ": " + e.getMessage(), e);
        }
    }
}

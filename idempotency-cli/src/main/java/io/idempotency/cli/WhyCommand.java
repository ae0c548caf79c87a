package io.idempotency.cli;

import io.idempotency.Explanation;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.StoredMessage;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Explains what became of a message. */
@Command(
        name = "why",
        description = {"Says why a message was handled, skipped or neither.", ""},
        footer = {
            "",
            "Examples:",
            "  idempotency why billing 4711",
            "  idempotency why billing orders-3@18272     (the position of a quarantined message)",
            "  idempotency why billing 4711 --output json"
        })
final class WhyCommand extends Reading {

    @Parameters(index = "0", paramLabel = "<consumer>", description = "The name of the consumer.")
    private String consumer = "";

    @Parameters(
            index = "1",
            paramLabel = "<id>",
            description = "The message id, with or without its kind, or the position of a quarantined message.")
    private String id = "";

    WhyCommand(Session session) {
        super(session);
    }

    @Override
    int run(Database database, Output output) {
        List<Explanation> explanations = database.operations().explain(consumer, id);
        if (output.format() == Output.Format.json) {
            output.list(explanations.stream().map(WhyCommand::fields).toList());
        } else {
            explanations.forEach(each -> output.text(Failures.oneLine(each.sentence())));
        }
        return explanations.get(0).status() == MessageStatus.UNKNOWN ? ExitCode.NOTHING : ExitCode.DONE;
    }

    private static Fields fields(Explanation explanation) {
        return Fields.of("consumer", explanation.id().consumer())
                .and("id", explanation.id().value())
                .and("status", explanation.status())
                .and("position", explanation.stored().map(StoredMessage::position))
                .and("at", explanation.stored().map(StoredMessage::at))
                .and("attempt", explanation.stored().map(StoredMessage::attempt))
                .and("failureType", explanation.kept().map(Explanation.Kept::failureType))
                .and("failureGroup", explanation.kept().map(Explanation.Kept::failureGroup))
                .and("attempts", explanation.kept().map(Explanation.Kept::attempts))
                .and("quarantinedAt", explanation.kept().map(Explanation.Kept::firstAt))
                .and("replay", explanation.kept().flatMap(Explanation.Kept::replay))
                .and("rememberedUntil", explanation.rememberedUntil())
                .and("rememberedSince", explanation.rememberedSince())
                .and("sentence", explanation.sentence());
    }
}

package io.idempotency.cli;

import io.idempotency.store.AuditRecord;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists who changed what. */
@Command(
        name = "audit",
        description = {"Lists who changed what is remembered, and why, the newest first.", ""},
        footer = {"", "Examples:", "  idempotency audit", "  idempotency audit billing --since 7d --limit 20"})
final class AuditCommand extends Reading {

    @Parameters(index = "0", arity = "0..1", paramLabel = "<consumer>", description = "Only acts on this consumer.")
    private Optional<String> consumer = Optional.empty();

    @Option(
            names = "--since",
            paramLabel = "<moment>",
            converter = Moments.OfInstant.class,
            description = "Acts from this moment on, such as 2026-11-28T09:00:00Z, or 24h ago. By default all.")
    private Instant since = Instant.EPOCH;

    @Option(names = "--limit", paramLabel = "<acts>", description = "The most acts to list. By default 100.")
    private int limit = 100;

    AuditCommand(Session session) {
        super(session);
    }

    @Override
    int run(Database database, Output output) {
        List<AuditRecord> acts = consumer.map(name -> database.audit().list(name, since, limit))
                .orElseGet(() -> database.audit().list(since, limit));
        output.list(acts.stream().map(AuditCommand::fields).toList());
        return acts.isEmpty() ? ExitCode.NOTHING : ExitCode.DONE;
    }

    private static Fields fields(AuditRecord act) {
        return Fields.of("at", act.at())
                .and("actor", act.actor())
                .and("origin", act.origin())
                .and("verb", act.verb())
                .and("consumer", act.consumer())
                .and("messages", act.messages())
                .and("subject", act.subject())
                .and("reason", act.reason());
    }
}

package io.idempotency.cli;

import io.idempotency.Explanation;
import io.idempotency.Forgotten;
import io.idempotency.Operations;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import java.time.Instant;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Forgets messages. */
@Command(
        name = "forget",
        description = {
            "Forgets processed messages, so that their next deliveries are handled: one by its id, or a range of offsets or of time.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  idempotency forget billing 4711 --reason INC-42",
            "  idempotency forget billing --topic orders --partition 3 --offsets 18000..18999 --dry-run",
            "  idempotency forget billing --from 2026-11-28T09:00:00Z --to 2026-11-28T10:00:00Z --reason INC-42"
        })
final class ForgetCommand extends Writing {

    @Parameters(index = "0", paramLabel = "<consumer>", description = "The name of the consumer.")
    private String consumer = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "<id>", description = "The message id.")
    private Optional<String> id = Optional.empty();

    @Option(names = "--topic", paramLabel = "<name>", description = "The topic of a range of offsets.")
    private Optional<String> topic = Optional.empty();

    @Option(names = "--partition", paramLabel = "<number>", description = "Its partition.")
    private Optional<Integer> partition = Optional.empty();

    @Option(
            names = "--offsets",
            paramLabel = "<first>..<last>",
            converter = Offsets.Converter.class,
            description = "The offsets, both included.")
    private Optional<Offsets> offsets = Optional.empty();

    @Option(
            names = "--from",
            paramLabel = "<moment>",
            converter = Moments.OfInstant.class,
            description = "Messages settled from this moment on, such as 2026-11-28T09:00:00Z, or 24h ago.")
    private Optional<Instant> from = Optional.empty();

    @Option(
            names = "--to",
            paramLabel = "<moment>",
            converter = Moments.OfInstant.class,
            description = "Messages settled before this moment.")
    private Optional<Instant> to = Optional.empty();

    ForgetCommand(Session session) {
        super(session);
    }

    @Override
    void check() {
        boolean isOfOffsets = topic.isPresent() && partition.isPresent() && offsets.isPresent();
        boolean isOfTime = from.isPresent() && to.isPresent();
        int given = (id.isPresent() ? 1 : 0)
                + (topic.isPresent() || partition.isPresent() || offsets.isPresent() ? 1 : 0)
                + (from.isPresent() || to.isPresent() ? 1 : 0);
        if (given != 1 || !(id.isPresent() || isOfOffsets || isOfTime)) {
            throw new UsageException("Give an id, or --topic, --partition and --offsets, or --from and --to");
        }
        super.check();
    }

    @Override
    int run(Database database, Output output) {
        Operations operations = database.operations();
        return id.isPresent()
                ? forget(operations, Ids.one(operations, consumer, id.get()), output)
                : forget(operations, range(), output);
    }

    private MessageRange range() {
        return offsets.isPresent()
                ? MessageRange.ofOffsets(
                        consumer,
                        topic.orElseThrow(),
                        partition.orElseThrow(),
                        offsets.get().first(),
                        offsets.get().last())
                : MessageRange.ofTime(consumer, from.orElseThrow(), to.orElseThrow());
    }

    private int forget(Operations operations, Explanation meant, Output output) {
        MessageId message = meant.id();
        output.note(meant.sentence());
        Forgotten forgettable = operations.countForgettable(message);
        if (isDryRun() || (forgettable.messages() == 0 && forgettable.quarantined() == 0)) {
            return told(output, "Would forget ", forgettable, true);
        }
        confirm("Forget this message?");
        return told(output, "Forgot ", operations.forget(message, reason()), false);
    }

    private int forget(Operations operations, MessageRange range, Output output) {
        Forgotten forgettable = operations.countForgettable(range);
        if (isDryRun() || forgettable.messages() == 0) {
            return told(output, "Would forget ", forgettable, true);
        }
        output.note("Would forget " + forgettable.messages() + " message(s) of " + consumer + ": " + range);
        confirm("Forget " + forgettable.messages() + " message(s) of " + consumer + "?");
        Progress progress = new Progress(output, "messages forgotten");
        return told(output, "Forgot ", operations.forget(range, reason(), progress), false);
    }

    private int told(Output output, String verb, Forgotten forgotten, boolean isDry) {
        String stay = forgotten.quarantined() == 0
                ? ""
                : "; " + forgotten.quarantined() + " stay in quarantine: replay or drop them";
        output.result(
                verb + forgotten.messages() + " message(s) of " + consumer + stay + ".",
                Fields.of("consumer", consumer)
                        .and("messages", forgotten.messages())
                        .and("quarantined", forgotten.quarantined())
                        .and("dryRun", isDry));
        return forgotten.messages() == 0 ? ExitCode.NOTHING : ExitCode.DONE;
    }
}

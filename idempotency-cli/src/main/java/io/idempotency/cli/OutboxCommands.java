package io.idempotency.cli;

import io.idempotency.outbox.OutboxOperations;
import io.idempotency.outbox.OutboxTotal;
import io.idempotency.outbox.RefusedSummary;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What waits in the outbox, and what Kafka refused. */
final class OutboxCommands {

    private OutboxCommands() {}

    /** The group of these verbs. */
    @Command(
            name = "outbox",
            description = {"Shows the outbox, and sends or discards outputs that Kafka refused for good.", ""})
    static final class Group {}

    /** Counts. */
    @Command(
            name = "status",
            description = {"Counts the outputs that wait for a relay, and those that Kafka refused.", ""},
            footer = {"", "Example:", "  idempotency outbox status --output json"})
    static final class Status extends Reading {

        Status(Session session) {
            super(session);
        }

        @Override
        int run(Database database, Output output) {
            OutboxTotal total = database.outbox().total();
            output.one(Fields.of("waiting", total.waiting())
                    .and("oldestSeconds", total.age().toSeconds())
                    .and("refused", total.refused()));
            return ExitCode.DONE;
        }
    }

    /** Lists refused outputs. */
    @Command(
            name = "refused",
            description = {"Lists the outputs that Kafka refused for good, in the order in which they were added.", ""},
            footer = {"", "Example:", "  idempotency outbox refused --limit 20"})
    static final class Refused extends Reading {

        @Option(names = "--limit", paramLabel = "<outputs>", description = "The most outputs to list. By default 100.")
        private int limit = 100;

        Refused(Session session) {
            super(session);
        }

        @Override
        int run(Database database, Output output) {
            List<RefusedSummary> refused = database.outbox().refused().list(Optional.empty(), 0, limit);
            output.list(refused.stream().map(Refused::fields).toList());
            if (refused.isEmpty()) {
                output.note("Kafka has refused no output");
                return ExitCode.NOTHING;
            }
            return ExitCode.DONE;
        }

        private static Fields fields(RefusedSummary each) {
            return Fields.of("number", each.number())
                    .and("topic", each.topic())
                    .and("id", each.id())
                    .and("addedAt", each.addedAt())
                    .and("bytes", each.bytes())
                    .and("reason", each.reason());
        }
    }

    /** Sends refused outputs again. */
    @Command(
            name = "resend",
            description = {
                "Gives refused outputs back to the relay: one by its number, or all of a topic, in their order. Others with the same keys may have been sent"
                        + " meanwhile.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  idempotency outbox resend 4711 --reason INC-42",
                "  idempotency outbox resend --topic payments --reason INC-42"
            })
    static final class Resend extends Writing {

        @Parameters(index = "0", arity = "0..1", paramLabel = "<number>", description = "The number of the output.")
        private Optional<Long> number = Optional.empty();

        @Option(names = "--topic", paramLabel = "<topic>", description = "Sends all refused outputs of this topic.")
        private Optional<String> topic = Optional.empty();

        Resend(Session session) {
            super(session);
        }

        @Override
        void check() {
            if (number.isPresent() == topic.isPresent()) {
                throw new UsageException("Give a number, or --topic");
            }
            super.check();
        }

        @Override
        int run(Database database, Output output) {
            String what = number.map(each -> "output " + each).orElseGet(() -> "all outputs to " + topic.orElseThrow());
            if (isDryRun()) {
                output.note("Would send " + what + " again, if refused. List them by: idempotency outbox refused");
                return ExitCode.DONE;
            }
            confirm("Send " + what + " again?");
            OutboxOperations outputs = database.outboxOperations();
            int resent = number.isPresent()
                    ? (outputs.resend(number.get(), reason()) ? 1 : 0)
                    : outputs.resendAll(topic.orElseThrow(), reason());
            return told(output, "Gave back ", resent, what);
        }
    }

    /** Deletes a refused output. */
    @Command(
            name = "discard",
            description = {"Deletes a refused output for good, by its number.", ""},
            footer = {"", "Example:", "  idempotency outbox discard 4711 --reason INC-42"})
    static final class Discard extends Writing {

        @Parameters(index = "0", paramLabel = "<number>", description = "The number of the output.")
        private long number;

        Discard(Session session) {
            super(session);
        }

        @Override
        int run(Database database, Output output) {
            String what = "output " + number;
            if (isDryRun()) {
                output.note("Would delete " + what + ", if refused");
                return ExitCode.DONE;
            }
            confirm("Delete " + what + " for good?");
            int discarded = database.outboxOperations().discard(number, reason()) ? 1 : 0;
            return told(output, "Deleted ", discarded, what);
        }
    }

    /** Says what was done. */
    private static int told(Output output, String sentence, int outputs, String what) {
        if (outputs == 0) {
            output.note("Kafka has not refused " + what);
        }
        output.result(sentence + outputs + " output(s).", Fields.of("outputs", outputs));
        return outputs == 0 ? ExitCode.NOTHING : ExitCode.DONE;
    }
}

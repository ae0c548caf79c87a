package io.idempotency.cli;

import io.idempotency.Operations;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineGroup;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineSummary;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What is in quarantine. */
final class QuarantineCommands {

    private static final int PAGE = 500;

    private QuarantineCommands() {}

    /** The group of these verbs. */
    @Command(
            name = "quarantine",
            description = {"Shows, drops and replays messages that failed for good.", ""})
    static final class Group {}

    /** Lists messages. */
    @Command(
            name = "list",
            description = {"Lists quarantined messages, in the order of topic, partition and offset.", ""},
            footer = {
                "",
                "Examples:",
                "  idempotency quarantine list billing --limit 20",
                "  idempotency quarantine list billing --failure java.sql.SQLException --from 24h --output json"
            })
    static final class Listing extends Reading {

        @Parameters(paramLabel = "<consumer>", description = "The name of the consumer.")
        private String consumer = "";

        @Mixin
        private Selection selection = new Selection();

        @Option(
                names = "--limit",
                paramLabel = "<messages>",
                description = "The most messages to list. By default 100.")
        private int limit = 100;

        Listing(Session session) {
            super(session);
        }

        @Override
        int run(Database database, Output output) {
            QuarantineSelection chosen = selection.of(consumer, database.operations());
            List<QuarantineSummary> found = new ArrayList<>();
            List<QuarantineSummary> page;
            do {
                Optional<Delivery> last = found.isEmpty()
                        ? Optional.empty()
                        : Optional.of(found.get(found.size() - 1).delivery());
                page = database.quarantine().list(chosen, last, Math.min(PAGE, limit - found.size()));
                found.addAll(page);
            } while (page.size() == PAGE && found.size() < limit);
            output.list(found.stream().map(Listing::fields).toList());
            return found.isEmpty() ? nothing(database, chosen, output) : ExitCode.DONE;
        }

        private static Fields fields(QuarantineSummary each) {
            return Fields.of("position", each.delivery().position())
                    .and("id", each.delivery().id().value())
                    .and("firstAt", each.firstAt())
                    .and("failureType", each.failureType())
                    .and("failureGroup", each.failureGroup())
                    .and("attempts", each.attempts())
                    .and("behind", each.isBehind())
                    .and("replay", each.replay());
        }
    }

    /** Tells that nothing is chosen, or that nobody knows the consumer. */
    private static int nothing(Database database, QuarantineSelection chosen, Output output) {
        database.operations().listReplays(chosen.consumer(), 1);
        output.note("The quarantine has no " + chosen);
        return ExitCode.NOTHING;
    }

    /** Counts messages by failure. */
    @Command(
            name = "groups",
            description = {"Counts quarantined messages by their failures, the most frequent first.", ""},
            footer = {"", "Example:", "  idempotency quarantine groups billing --from 24h"})
    static final class Groups extends Reading {

        @Parameters(paramLabel = "<consumer>", description = "The name of the consumer.")
        private String consumer = "";

        @Mixin
        private Selection selection = new Selection();

        Groups(Session session) {
            super(session);
        }

        @Override
        int run(Database database, Output output) {
            QuarantineSelection chosen = selection.of(consumer, database.operations());
            List<Fields> rows = database.quarantine().groups(chosen, Integer.MAX_VALUE).stream()
                    .map(Groups::fields)
                    .toList();
            output.list(rows);
            return rows.isEmpty() ? nothing(database, chosen, output) : ExitCode.DONE;
        }

        private static Fields fields(QuarantineGroup group) {
            return Fields.of("group", group.group())
                    .and("messages", group.messages())
                    .and("failureTypes", group.failureTypes())
                    .and("oldest", group.oldest())
                    .and("newest", group.newest())
                    .and("lastHour", group.lastHour())
                    .and("lastDay", group.lastDay());
        }
    }

    /** Shows one message. */
    @Command(
            name = "show",
            description = {
                "Shows a quarantined message: why it failed, its headers, its key and its value. What does not show as itself is escaped;"
                        + " bytes that are no text are shown in hexadecimal.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  idempotency quarantine show billing 4711",
                "  idempotency quarantine show billing orders-3@18272 --full --output json"
            })
    static final class Show extends Reading {

        @Parameters(index = "0", paramLabel = "<consumer>", description = "The name of the consumer.")
        private String consumer = "";

        @Parameters(index = "1", paramLabel = "<id>", description = "The message id, or the position of the message.")
        private String id = "";

        @Option(names = "--full", description = "Shows all bytes, not only the first 2048 of each part.")
        private boolean isFull;

        Show(Session session) {
            super(session);
        }

        @Override
        int run(Database database, Output output) {
            MessageId meant = Ids.one(database.operations(), consumer, this.id).id();
            Optional<QuarantineEntry> entry = database.quarantine().find(meant);
            if (entry.isEmpty()) {
                output.note("The quarantine has no message " + meant);
                return ExitCode.NOTHING;
            }
            output.one(ShownMessage.fields(entry.get(), isFull ? Integer.MAX_VALUE : ShownMessage.MOST_BYTES));
            return ExitCode.DONE;
        }
    }

    /** Drops messages. */
    @Command(
            name = "drop",
            description = {
                "Deletes messages from quarantine for good: one by its id, or the old ones. Copies of them are skipped.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  idempotency quarantine drop billing 4711 --reason INC-42",
                "  idempotency quarantine drop billing --older-than 30d --dry-run"
            })
    static final class Drop extends Writing {

        @Parameters(index = "0", paramLabel = "<consumer>", description = "The name of the consumer.")
        private String consumer = "";

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "<id>",
                description = "The message id, or the position of the message.")
        private Optional<String> id = Optional.empty();

        @Option(
                names = "--older-than",
                paramLabel = "<moment>",
                converter = Moments.OfInstant.class,
                description = "Drops all messages that were quarantined before this moment, or so long ago.")
        private Optional<Instant> before = Optional.empty();

        Drop(Session session) {
            super(session);
        }

        @Override
        void check() {
            if (id.isPresent() == before.isPresent()) {
                throw new UsageException("Give an id, or --older-than");
            }
            super.check();
        }

        @Override
        int run(Database database, Output output) {
            Operations operations = database.operations();
            QuarantineSelection chosen = QuarantineSelection.of(consumer);
            chosen = before.isPresent()
                    ? chosen.to(before.get())
                    : chosen.ids(List.of(
                            Ids.one(operations, consumer, id.orElseThrow()).id().value()));
            long messages = database.quarantine().count(chosen).messages();
            if (messages == 0) {
                return nothing(database, chosen, output);
            }
            if (isDryRun()) {
                return told(output, "Would drop ", messages);
            }
            confirm("Drop " + messages + " message(s) from quarantine: " + chosen + "?");
            if (before.isPresent()) {
                return told(output, "Dropped ", operations.dropOlderThan(consumer, before.get(), reason()));
            }
            boolean isDropped =
                    operations.drop(new MessageId(consumer, chosen.ids().get(0)), reason());
            if (!isDropped) {
                output.note("It was handled meanwhile, so only its entry is deleted");
            }
            return told(output, "Dropped ", 1);
        }

        private int told(Output output, String verb, long messages) {
            output.result(
                    verb + messages + " message(s) of " + consumer + ".",
                    Fields.of("consumer", consumer).and("messages", messages).and("dryRun", isDryRun()));
            return messages == 0 ? ExitCode.NOTHING : ExitCode.DONE;
        }
    }
}

package io.idempotency.cli;

import io.idempotency.Operations;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Asks for a replay. */
@Command(
        name = "replay",
        description = {
            "Asks the running instances of a consumer to handle quarantined messages again. The messages are chosen now; those that fail later do"
                    + " not belong to the replay. The command only asks, and --wait follows.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  idempotency quarantine replay billing --limit 1 --wait --reason INC-42",
            "  idempotency quarantine replay billing --failure java.sql.SQLException --dry-run",
            "  idempotency quarantine replay billing --rate 50 --wait --yes --reason INC-42"
        })
final class ReplayCommand extends Writing {

    @Parameters(arity = "0..1", paramLabel = "<consumer>", description = "The name of the consumer.")
    private Optional<String> consumer = Optional.empty();

    @Mixin
    private Selection selection = new Selection();

    @Option(
            names = "--limit",
            paramLabel = "<messages>",
            description = "Only the first messages, in the order of topic, partition and offset. 1 is a good begin.")
    private Optional<Integer> limit = Optional.empty();

    @Option(
            names = "--rate",
            paramLabel = "<messages>",
            description = "The most messages a second. By default " + ReplayRequest.DEFAULT_PER_SECOND + ".")
    private int rate = ReplayRequest.DEFAULT_PER_SECOND;

    @Option(
            names = "--stop-after",
            paramLabel = "<failures>",
            description = "So many equal failures in a row end the replay. By default "
                    + ReplayRequest.DEFAULT_STOP_AFTER + ".")
    private int stopAfter = ReplayRequest.DEFAULT_STOP_AFTER;

    @Option(
            names = "--may-repeat",
            description = "Accepts that effects of an AT_MOST_ONCE consumer may repeat: they may have happened.")
    private boolean mayRepeat;

    @Option(names = "--name", paramLabel = "<name>", description = "The name of the replay. By default a new one.")
    private Optional<String> name = Optional.empty();

    @Option(names = "--wait", description = "Follows the replay until it ends.")
    private boolean isWaiting;

    ReplayCommand(Session session) {
        super(session);
    }

    @Override
    void check() {
        if (consumer.isEmpty()) {
            throw new UsageException("Say of which consumer: quarantine replay <consumer>");
        }
        super.check();
    }

    @Override
    int run(Database database, Output output) {
        Operations operations = database.operations();
        ReplayRequest request = request(operations);
        ReplayPlan plan = operations.plan(request);
        if (isDryRun() || plan.total() + plan.inOtherReplays() == 0) {
            return planned(plan, request, output);
        }
        output.note(sentence(plan, request));
        confirm("Replay " + plan.total() + " message(s), at most " + rate + " a second?");
        Replay replay = operations.replay(request, reason());
        if (isWaiting) {
            output.note("Asked for the replay " + replay.request().id());
            return new ReplayWait(database, session().environment(), output)
                    .follow(replay.request().id());
        }
        output.result(
                "Asked for the replay " + replay.request().id() + " of "
                        + replay.progress().total()
                        + " message(s). To follow it: quarantine replay status "
                        + replay.request().id() + " --wait",
                ReplayView.fields(replay));
        return ExitCode.DONE;
    }

    private ReplayRequest request(Operations operations) {
        var chosen = selection.of(consumer.orElseThrow(), operations);
        ReplayRequest request = ReplayRequest.of(limit.isPresent() ? chosen.limit(limit.get()) : chosen)
                .perSecond(rate)
                .stopAfter(stopAfter);
        request = mayRepeat ? request.acceptRepeatedEffects() : request;
        return name.isPresent() ? request.id(name.get()) : request;
    }

    private static int planned(ReplayPlan plan, ReplayRequest request, Output output) {
        output.result(
                sentence(plan, request),
                Fields.of("total", plan.total())
                        .and("inOtherReplays", plan.inOtherReplays())
                        .and("withoutBytes", plan.withoutBytes())
                        .and("alreadyProcessed", plan.alreadyProcessed())
                        .and("byFailure", plan.byFailure())
                        .and("byPartition", plan.byPartition())
                        .and("oldest", plan.oldest())
                        .and("dryRun", true));
        return plan.total() == 0 ? ExitCode.NOTHING : ExitCode.DONE;
    }

    private static String sentence(ReplayPlan plan, ReplayRequest request) {
        return "Would replay " + plan.total() + " of the " + request.selection()
                + (plan.total() == 0 ? "" : ": " + plan.byFailure() + ", " + plan.byPartition())
                + plan.oldest().map(oldest -> ", the oldest from " + oldest).orElse("")
                + (plan.alreadyProcessed() == 0
                        ? ""
                        : ". " + plan.alreadyProcessed() + " are processed already and are only taken out")
                + (plan.withoutBytes() == 0
                        ? ""
                        : ". " + plan.withoutBytes() + " have no bytes, and are read again from Kafka if it has them")
                + (plan.inOtherReplays() == 0
                        ? ""
                        : ". " + plan.inOtherReplays() + " belong to other replays and stay there")
                + ".";
    }
}

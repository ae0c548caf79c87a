package io.idempotency.cli;

import io.idempotency.Operations;
import io.idempotency.replay.Replay;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Replays that were asked for before. */
final class ReplayChanges {

    private ReplayChanges() {}

    /** A verb that changes a replay. */
    abstract static class Change extends Writing {

        private final String verb;

        @Parameters(paramLabel = "<replay>", description = "The name of the replay.")
        private String id = "";

        Change(Session session, String verb) {
            super(session);
            this.verb = verb;
        }

        @Override
        int run(Database database, Output output) {
            Operations operations = database.operations();
            Optional<Replay> replay = operations.findReplay(id);
            if (replay.isEmpty()) {
                output.note("There is no replay " + id);
                return ExitCode.NOTHING;
            }
            output.note(replay.get().toString());
            if (isDryRun()) {
                output.result("Would " + verb + " it.", ReplayView.fields(replay.get()));
                return ExitCode.DONE;
            }
            confirm("Should it " + verb + "?");
            boolean isChanged = change(operations, id);
            Replay now = operations.findReplay(id).orElseThrow();
            output.result(isChanged ? now.toString() : "It did not " + verb + ". " + now, ReplayView.fields(now));
            return isChanged ? ExitCode.DONE : ExitCode.REFUSED;
        }

        abstract boolean change(Operations operations, String replay);
    }

    /** Pauses. */
    @Command(
            name = "pause",
            description = {"Pauses a running replay; its messages still belong to it.", ""},
            footer = {"", "Example:", "  idempotency quarantine replay pause 5d0c1a0e --reason INC-42"})
    static final class Pause extends Change {

        Pause(Session session) {
            super(session, "pause");
        }

        @Override
        boolean change(Operations operations, String replay) {
            return operations.pauseReplay(replay, reason());
        }
    }

    /** Resumes. */
    @Command(
            name = "resume",
            description = {"Resumes a paused replay.", ""},
            footer = {"", "Example:", "  idempotency quarantine replay resume 5d0c1a0e --reason INC-42"})
    static final class Resume extends Change {

        Resume(Session session) {
            super(session, "resume");
        }

        @Override
        boolean change(Operations operations, String replay) {
            return operations.resumeReplay(replay, reason());
        }
    }

    /** Stops. */
    @Command(
            name = "stop",
            description = {"Ends a replay; the messages that are left stay in quarantine.", ""},
            footer = {"", "Example:", "  idempotency quarantine replay stop 5d0c1a0e --reason INC-42"})
    static final class Stop extends Change {

        Stop(Session session) {
            super(session, "stop");
        }

        @Override
        boolean change(Operations operations, String replay) {
            return operations.stopReplay(replay, reason());
        }
    }

    /** Shows replays. */
    @Command(
            name = "status",
            description = {"Shows a replay, or lists those of a consumer, the newest first.", ""},
            footer = {
                "",
                "Examples:",
                "  idempotency quarantine replay status 5d0c1a0e --wait",
                "  idempotency quarantine replay status --consumer billing --limit 5"
            })
    static final class Status extends Reading {

        @Parameters(arity = "0..1", paramLabel = "<replay>", description = "The name of the replay.")
        private Optional<String> id = Optional.empty();

        @Option(names = "--consumer", paramLabel = "<consumer>", description = "Lists the replays of this consumer.")
        private Optional<String> consumer = Optional.empty();

        @Option(names = "--limit", paramLabel = "<replays>", description = "The most replays to list. By default 20.")
        private int limit = 20;

        @Option(names = "--wait", description = "Follows the replay until it ends.")
        private boolean isWaiting;

        Status(Session session) {
            super(session);
        }

        @Override
        void check() {
            if (id.isPresent() == consumer.isPresent()) {
                throw new UsageException("Give the name of a replay, or --consumer");
            }
        }

        @Override
        int run(Database database, Output output) {
            if (consumer.isPresent()) {
                List<Replay> replays = database.operations().listReplays(consumer.get(), limit);
                output.list(replays.stream().map(ReplayView::fields).toList());
                return replays.isEmpty() ? ExitCode.NOTHING : ExitCode.DONE;
            }
            Optional<Replay> replay = database.operations().findReplay(id.orElseThrow());
            if (replay.isEmpty()) {
                output.note("There is no replay " + id.get());
                return ExitCode.NOTHING;
            }
            if (isWaiting) {
                return new ReplayWait(database, session().environment(), output).follow(id.get());
            }
            output.one(ReplayView.fields(replay.get()));
            return ExitCode.DONE;
        }
    }
}

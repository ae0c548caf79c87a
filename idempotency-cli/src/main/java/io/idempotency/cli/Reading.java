package io.idempotency.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;

/** A verb that changes nothing. */
abstract class Reading implements Callable<Integer> {

    private final Session session;
    private CommandSpec command = CommandSpec.create();

    Reading(Session session) {
        this.session = session;
    }

    @picocli.CommandLine.Spec
    final void command(CommandSpec spec) {
        command = spec;
    }

    final Session session() {
        return session;
    }

    @Override
    public final Integer call() {
        check();
        try (Database database = session.open()) {
            return run(database, session.output(command));
        }
    }

    /** Refuses arguments before anything happens. */
    void check() {}

    /** Runs the verb and returns its exit code. */
    abstract int run(Database database, Output output);
}

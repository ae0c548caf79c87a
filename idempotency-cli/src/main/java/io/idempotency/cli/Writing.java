package io.idempotency.cli;

import picocli.CommandLine.Option;

/** A verb that changes something. It says how much, and asks first. */
abstract class Writing extends Reading {

    @Option(names = "--dry-run", description = "Says what would happen, and changes nothing.")
    private boolean isDryRun;

    Writing(Session session) {
        super(session);
    }

    final boolean isDryRun() {
        return isDryRun;
    }

    /** Returns whether the audit keeps the act with its reason. */
    boolean needsReason() {
        return true;
    }

    @Override
    void check() {
        if (isDryRun) {
            return;
        }
        if (needsReason() && session().options().reason().isBlank()) {
            throw new UsageException("Say why by --reason: it is kept with the act, such as the number of an incident");
        }
        if (!session().options().isSure() && !session().environment().terminal().isThere()) {
            throw new UsageException(
                    "There is no terminal to ask whether to go on. Look with --dry-run, then give --yes");
        }
    }

    final String reason() {
        return session().options().reason();
    }

    /** Asks whether to go on, unless it was answered before. */
    final void confirm(String question) {
        if (session().options().isSure()) {
            return;
        }
        String answer = session()
                .environment()
                .terminal()
                .ask(Failures.oneLine(question) + " [y/N] ")
                .orElse("");
        if (!answer.strip().equalsIgnoreCase("y") && !answer.strip().equalsIgnoreCase("yes")) {
            throw new StoppedException("Nothing was changed");
        }
    }
}

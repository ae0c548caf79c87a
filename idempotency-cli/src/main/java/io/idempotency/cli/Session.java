package io.idempotency.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * One call of the command line.
 *
 * @param options the options of all verbs
 * @param environment what is around it
 */
record Session(Options options, Environment environment) {

    Database open() {
        return Database.open(options, new Access(options, environment).dataSource());
    }

    Output output(CommandSpec command) {
        CommandLine line = command.commandLine();
        return new Output(line.getOut(), line.getErr(), options.format());
    }
}

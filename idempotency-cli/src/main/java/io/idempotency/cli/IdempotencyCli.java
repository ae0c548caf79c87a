package io.idempotency.cli;

import io.idempotency.cli.QuarantineCommands.Drop;
import io.idempotency.cli.QuarantineCommands.Groups;
import io.idempotency.cli.QuarantineCommands.Listing;
import io.idempotency.cli.QuarantineCommands.Show;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/** The command line. Results go to stdout, everything else to stderr, and the exit code tells scripts what happened. */
public final class IdempotencyCli {

    static final String NAME = "idempotency";

    private static final int WIDTH = 100;
    private static final int SECONDS_TO_END = 30;

    private IdempotencyCli() {}

    /** Runs one command, and ends the process with its exit code. */
    public static void main(String[] arguments) {
        CountDownLatch ended = new CountDownLatch(1);
        Thread command = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupt(command, ended)));
        int code = commandLine(Environment.ofProcess()).execute(arguments);
        ended.countDown();
        System.exit(code);
    }

    /** Lets a running command end in order if somebody ends the process: after its batch, and with its exit code. */
    private static void interrupt(Thread command, CountDownLatch ended) {
        if (ended.getCount() == 0) {
            return;
        }
        command.interrupt();
        try {
            ended.await(SECONDS_TO_END, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            // Ends at once.
        }
        Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
    }

    /** Returns the command line with all its commands. */
    static CommandLine commandLine(Environment environment) {
        Options options = new Options();
        Session session = new Session(options, environment);
        CommandLine replay = new CommandLine(new ReplayCommand(session))
                .addSubcommand(new ReplayChanges.Status(session))
                .addSubcommand(new ReplayChanges.Pause(session))
                .addSubcommand(new ReplayChanges.Resume(session))
                .addSubcommand(new ReplayChanges.Stop(session));
        CommandLine quarantine = new CommandLine(new QuarantineCommands.Group())
                .addSubcommand(new Listing(session))
                .addSubcommand(new Groups(session))
                .addSubcommand(new Show(session))
                .addSubcommand(replay)
                .addSubcommand(new Drop(session))
                .addSubcommand(new ExportCommand(session))
                .addSubcommand(new ImportCommand(session));
        CommandLine outbox = new CommandLine(new OutboxCommands.Group())
                .addSubcommand(new OutboxCommands.Status(session))
                .addSubcommand(new OutboxCommands.Refused(session))
                .addSubcommand(new OutboxCommands.Resend(session))
                .addSubcommand(new OutboxCommands.Discard(session));
        CommandLine schema = new CommandLine(new SchemaCommands.Group())
                .addSubcommand(new SchemaCommands.Print(session))
                .addSubcommand(new SchemaCommands.Validate(session))
                .addSubcommand(new SchemaCommands.Migrate(session));
        CommandLine line = new CommandLine(options)
                .addSubcommand(new ConsumersCommand(session))
                .addSubcommand(new WhyCommand(session))
                .addSubcommand(quarantine)
                .addSubcommand(outbox)
                .addSubcommand(new ForgetCommand(session))
                .addSubcommand(new PurgeCommand(session))
                .addSubcommand(new AdoptCommand(session))
                .addSubcommand(new AuditCommand(session))
                .addSubcommand(schema)
                .addSubcommand(new GenerateCompletion());
        Failures failures = new Failures(options);
        line.setExecutionExceptionHandler(failures::executing);
        line.setParameterExceptionHandler(failures::parsing);
        line.getCommandSpec()
                .usageMessage()
                .exitCodeListHeading("%nExit codes:%n")
                .exitCodeList(ExitCode.all());
        dress(line);
        return line;
    }

    /** Gives each command a help of one form: the options of all commands are only in that of the command without a verb. */
    private static void dress(CommandLine command) {
        UsageMessageSpec usage = command.getCommandSpec().usageMessage();
        usage.abbreviateSynopsis(true).width(WIDTH).sortOptions(false);
        if (command.getCommandSpec().findOption("--help") == null) {
            command.getCommandSpec()
                    .addOption(OptionSpec.builder("-h", "--help")
                            .usageHelp(true)
                            .description("Shows this help.")
                            .build());
        }
        command.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, IdempotencyCli::ownOptions);
        command.getSubcommands().values().forEach(IdempotencyCli::dress);
    }

    private static String ownOptions(Help help) {
        List<OptionSpec> own = help.commandSpec().options().stream()
                .filter(option -> !option.inherited() && !option.hidden())
                .toList();
        return help.optionListExcludingGroups(own);
    }
}

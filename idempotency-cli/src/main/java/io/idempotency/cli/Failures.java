package io.idempotency.cli;

import io.idempotency.store.Printable;
import java.io.PrintWriter;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Turns failures into one sentence on stderr and an exit code. */
final class Failures {

    private final Options options;

    Failures(Options options) {
        this.options = options;
    }

    /** Answers a failed command. */
    int executing(Exception failure, CommandLine command, ParseResult parsed) {
        tell(failure, command.getErr());
        return code(failure);
    }

    /** Answers arguments that make no command. */
    int parsing(ParameterException failure, String[] arguments) {
        CommandLine command = failure.getCommandLine();
        tell(failure, command.getErr());
        command.getErr().println("See: " + command.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private void tell(Exception failure, PrintWriter err) {
        if (options.isDebug()) {
            failure.printStackTrace(err);
        } else {
            String message = failure.getMessage();
            err.println(oneLine(message == null ? failure.toString() : inCommands(message)));
        }
        err.flush();
    }

    /** The library speaks of its methods; here, the commands that call them are meant. */
    private static String inCommands(String message) {
        return message.replace("Schema.migrate()", "schema migrate")
                .replace("Schema.create()", "schema migrate --without-flyway")
                .replace("Schema.script()", "schema print");
    }

    /** Returns the text in one line that shows as itself. */
    static String oneLine(String text) {
        return Printable.of(text.strip().replaceAll("\\s*\\R\\s*", " "));
    }

    private static int code(Exception failure) {
        if (failure instanceof UsageException) {
            return ExitCode.USAGE;
        }
        if (failure instanceof StoppedException) {
            return ExitCode.INTERRUPTED;
        }
        SQLException sql = sqlIn(failure);
        return sql != null && isUnreachable(sql) ? ExitCode.UNREACHABLE : ExitCode.REFUSED;
    }

    private static @Nullable SQLException sqlIn(Throwable failure) {
        for (Throwable next = failure; next != null; next = next.getCause()) {
            if (next instanceof SQLException sql) {
                return sql;
            }
        }
        return null;
    }

    /** Lost or refused connections, servers that stop or start, and servers without resources. */
    private static boolean isUnreachable(SQLException failure) {
        String state = failure.getSQLState();
        return state == null || state.startsWith("08") || state.startsWith("57P") || state.startsWith("53");
    }
}

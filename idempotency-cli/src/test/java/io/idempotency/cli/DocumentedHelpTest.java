package io.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** The help of each command is in {@code docs/cli.md}, as the command line prints it. */
class DocumentedHelpTest {

    private static final Path PAGE = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolveSibling("docs")
            .resolve("cli.md");
    private static final String BEGIN = "<!-- help -->\n";
    private static final String END = "<!-- end of help -->";

    /** Compares the page with the help, or writes it if the test runs with {@code -Didempotency.docs=write}. */
    @Test
    void thePageHasTheHelpOfEachCommand() throws IOException {
        String help = all(IdempotencyCli.commandLine(Environment.ofProcess())).stream()
                .map(command -> "### " + command.getCommandSpec().qualifiedName() + "\n\n```text\n"
                        + lines(command.getUsageMessage(Ansi.OFF)) + "\n```")
                .collect(Collectors.joining("\n\n", "", "\n"));
        String page = Files.readString(PAGE);
        if ("write".equals(System.getProperty("idempotency.docs"))) {
            page = page.substring(0, page.indexOf(BEGIN) + BEGIN.length()) + help + page.substring(page.indexOf(END));
            Files.writeString(PAGE, page);
        }

        assertThat(section(page))
                .as("The help differs from the page. Write it anew with -Didempotency.docs=write")
                .isEqualTo(help);
    }

    private static String section(String page) {
        return page.substring(page.indexOf(BEGIN) + BEGIN.length(), page.indexOf(END));
    }

    private static String lines(String text) {
        return text.lines()
                .map(String::stripTrailing)
                .collect(Collectors.joining("\n"))
                .strip();
    }

    private static List<CommandLine> all(CommandLine command) {
        List<CommandLine> all = new ArrayList<>(List.of(command));
        command.getSubcommands().values().forEach(each -> all.addAll(all(each)));
        return all;
    }

    @Test
    void eachCommandHasAHelpWithAnExampleAndNoSecret() {
        for (CommandLine command : all(IdempotencyCli.commandLine(Environment.ofProcess()))) {
            String help = command.getUsageMessage(Ansi.OFF);
            boolean isGroup = !command.getSubcommands().isEmpty() && !help.contains("--dry-run");
            boolean isOurs = !command.getCommandName().equals("generate-completion");
            assertThat(help).contains("--help").doesNotContain("--password");
            assertThat(!isOurs || isGroup || help.contains("Example")).as(help).isTrue();
        }
    }
}

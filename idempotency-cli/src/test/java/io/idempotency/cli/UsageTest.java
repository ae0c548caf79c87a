package io.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused, what is asked, and how a command finds its database. */
class UsageTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nothing",
                "why billing",
                "why billing 1",
                "forget billing --url jdbc:postgresql://localhost/x",
                "forget billing 1 --from 2h --url jdbc:postgresql://localhost/x",
                "forget billing 1 --url jdbc:postgresql://localhost/x",
                "forget billing 1 --reason INC-42 --url jdbc:postgresql://localhost/x",
                "audit --since yesterday --url jdbc:postgresql://localhost/x",
                "audit --url jdbc:postgresql://localhost/x --timeout soon",
                "quarantine drop billing --url jdbc:postgresql://localhost/x",
                "quarantine replay --yes --reason INC-42 --url jdbc:postgresql://localhost/x",
                "quarantine replay status --url jdbc:postgresql://localhost/x",
                "consumers --url jdbc:nobody:x",
                "consumers --url jdbc:postgresql://localhost/x --driver nowhere.jar",
                "consumers --url jdbc:postgresql://localhost/x?password=secret",
                "consumers --url jdbc:oracle:thin:scott/tiger@localhost:1521/X",
                "consumers --output xml --url jdbc:postgresql://localhost/x",
                "consumers --password secret --url jdbc:postgresql://localhost/x"
            })
    void wrongUsageIsRefusedWithASentence(String arguments) {
        Called called = new Called.User().call(arguments.isEmpty() ? new String[0] : arguments.split(" "));

        assertThat(called.code()).isEqualTo(ExitCode.USAGE);
        assertThat(called.out()).isEmpty();
        assertThat(called.err()).isNotBlank().doesNotContain("\tat ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc:postgresql://127.0.0.1:1/x", "jdbc:mariadb://127.0.0.1:1/x"})
    void anUnreachableDatabaseHasACodeOfItsOwn(String url) {
        Called called = new Called.User().call("consumers", "--url", url, "--user", "nobody");

        assertThat(called.code()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(called.err())
                .startsWith("Could not connect to the database: ")
                .hasLineCount(1);

        Called debugged = new Called.User().call("consumers", "--url", url, "--user", "nobody", "--debug");
        assertThat(debugged.err()).contains("\tat ");
    }

    @ParameterizedTest
    @EnumSource
    void asksBeforeItChangesSomething(Server server) {
        Scene scene = Scene.on(server);
        scene.processed("1", 1);
        scene.user.isAtTerminal = true;

        scene.user.answers.add("n");
        Called refused = scene.user.call("forget", scene.consumer, "1", "--reason", "INC-42");
        assertThat(refused.code()).isEqualTo(ExitCode.INTERRUPTED);
        assertThat(refused.out()).isEmpty();
        assertThat(scene.user.questions).containsExactly("Forget this message? [y/N] ");
        assertThat(scene.user.call("why", scene.consumer, "1").code()).isZero();

        scene.user.answers.add("y");
        assertThat(scene.user
                        .call("forget", scene.consumer, "1", "--reason", "INC-42")
                        .code())
                .isZero();
        assertThat(scene.user.call("schema", "migrate").code())
                .as("no answer is no")
                .isEqualTo(ExitCode.INTERRUPTED);
    }

    @ParameterizedTest
    @EnumSource
    void optionsStandBeforeAndAfterTheVerbAndComeFromTheEnvironment(Server server) {
        Scene.on(server);
        Called.User user = new Called.User();
        assertThat(user.call("--url", server.url(), "--table-prefix", Scene.PREFIX, "schema", "validate")
                        .code())
                .isZero();
        assertThat(user.call("schema", "--table-prefix", Scene.PREFIX, "validate", "--url", server.url())
                        .code())
                .isZero();
        user.variables.put("IDEMPOTENCY_URL", server.url());
        assertThat(user.call("schema", "validate", "--table-prefix", Scene.PREFIX, "--output", "json")
                        .out())
                .startsWith("{\"valid\":true");
    }

    @Test
    void thePasswordComesFromTheEnvironmentOrAPrompt() {
        String url = Server.MARIADB.url().replace("?user=root", "");
        Scene scene = Scene.on(Server.MARIADB);
        scene.execute("create user if not exists 'ada'@'%' identified by 'a secret'");
        scene.execute("grant all on *.* to 'ada'@'%'");
        String[] command = {"consumers", "--url", url, "--user", "ada", "--table-prefix", Scene.PREFIX};
        scene.processed("1", 1);

        Called.User user = new Called.User();
        assertThat(user.call(command).code()).isEqualTo(ExitCode.REFUSED);
        user.variables.put("PGPASSWORD", "a secret");
        assertThat(user.call(command).code()).as("another database's").isEqualTo(ExitCode.REFUSED);
        user.variables.put("IDEMPOTENCY_PASSWORD", "a secret");
        assertThat(user.call(command).code()).isZero();
        user.variables.clear();
        user.isAtTerminal = true;
        user.answers.add("a secret");
        assertThat(user.call(command).code()).isZero();
        assertThat(user.questions).containsExactly("Password of ada: ");
    }

    @Test
    void aDriverIsTakenFromAJar(@TempDir Path folder) throws IOException {
        Scene scene = Scene.on(Server.POSTGRESQL);
        scene.processed("1", 1);
        Path jar = folder.resolve("driver.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new JarEntry("META-INF/services/java.sql.Driver"));
            out.write(RenamedDriver.class.getName().getBytes(StandardCharsets.UTF_8));
            out.closeEntry();
        }
        String url = RenamedDriver.SCHEME + Server.POSTGRESQL.url();
        List<String> command = List.of("consumers", "--url", url, "--table-prefix", Scene.PREFIX);

        Called without = new Called.User().call(command.toArray(String[]::new));
        assertThat(without.code()).isEqualTo(ExitCode.USAGE);
        assertThat(without.err()).startsWith("No driver accepts this URL").contains("org.postgresql.Driver");
        Called with = new Called.User("--driver", jar.toString()).call(command.toArray(String[]::new));
        assertThat(with.code()).as(with.err()).isZero();
        assertThat(with.out()).contains(scene.consumer);
    }

    @ParameterizedTest
    @EnumSource
    void missingTablesAreCreatedByACommandThatTheErrorNames(Server server) {
        Called called = new Called.User("--url", server.url(), "--table-prefix", "none_").call("consumers");

        assertThat(called.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(called.err()).contains("Create the tables by schema migrate", "schema print");
    }

    @Test
    void printsACompletionScript() {
        Called called = new Called.User().call("generate-completion");
        assertThat(called.code()).isZero();
        assertThat(called.out()).contains("complete -F", "quarantine", "--dry-run");
    }
}

package io.idempotency.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a call of the command line said.
 *
 * @param code the exit code
 * @param out what it printed to stdout
 * @param err what it printed to stderr
 */
record Called(int code, String out, String err) {

    JsonNode json() {
        return JsonMapper.shared().readTree(out);
    }

    /** A user who calls the command line within this process. Not thread-safe. */
    static final class User {

        final Map<String, String> variables = new HashMap<>();
        final Deque<String> answers = new ArrayDeque<>();
        final List<String> questions = new ArrayList<>();
        private final List<String> always;
        boolean isAtTerminal;
        Duration patience = Duration.ofMinutes(1);

        User(String... always) {
            this.always = List.of(always);
        }

        Called call(String... arguments) {
            List<String> all = new ArrayList<>(Arrays.asList(arguments));
            all.addAll(always);
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            CommandLine line =
                    IdempotencyCli.commandLine(new Environment(variables, terminal(), Duration.ofMillis(20), patience));
            line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
            int code = line.execute(all.toArray(String[]::new));
            return new Called(code, out.toString(), err.toString());
        }

        private Terminal terminal() {
            return new Terminal() {
                @Override
                public boolean isThere() {
                    return isAtTerminal;
                }

                @Override
                public Optional<String> ask(String question) {
                    questions.add(question);
                    return Optional.ofNullable(answers.poll());
                }

                @Override
                public Optional<String> askSecretly(String question) {
                    return isAtTerminal ? ask(question) : Optional.empty();
                }
            };
        }
    }
}

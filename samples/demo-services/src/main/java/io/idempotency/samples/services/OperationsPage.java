package io.idempotency.samples.services;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The statements of docs/operations.md, read from the page itself. So the demo runs what the page says. */
record OperationsPage(List<String> statements) {

    private static final Pattern BLOCK = Pattern.compile("```sql\n(.*?)```", Pattern.DOTALL);

    /** A statement of the page, by its beginning, with its examples, for which a user writes values of his own. */
    enum Example {
        REPLAY("insert into idempotency_replay", "INC-42", "billing"),
        CHOOSE(
                "update idempotency_quarantine set replay",
                "INC-42",
                "billing",
                "failure_type = 'java.lang.IllegalStateException'"),
        PROGRESS("select status, total, processed", "INC-42"),
        STATUS("select n.name as consumer, m.state >> 29 as status", "billing", "0192f0c1-7a7b-7d3e-8f00-000000000000"),
        RETENTION("update idempotency_name set retention_micros", "3 * 86400000000", "billing"),
        RENAME("update idempotency_name set name", "invoicing", "invoices");

        private final String beginning;

        @SuppressWarnings("ImmutableEnumChecker") // List.of is immutable
        private final List<String> examples;

        Example(String beginning, String... values) {
            this.beginning = beginning;
            this.examples = List.of(values);
        }

        List<String> examples() {
            return examples;
        }
    }

    static OperationsPage read(Path page) throws IOException {
        return new OperationsPage(BLOCK.matcher(Files.readString(page))
                .results()
                .flatMap(block -> Pattern.compile(";").splitAsStream(uncommented(block.group(1))))
                .map(String::strip)
                .filter(statement -> !statement.isEmpty())
                .toList());
    }

    private static String uncommented(String block) {
        return block.lines().map(line -> line.replaceAll("--.*", "")).collect(Collectors.joining("\n"));
    }

    /**
     * Returns a statement of the page with other values in place of its examples, in their order.
     *
     * @throws IllegalStateException if the page has no such statement, more than one, or other examples
     */
    String statement(Example example, String... values) {
        List<String> found = statements.stream()
                .filter(sql -> sql.startsWith(example.beginning))
                .toList();
        if (found.size() != 1 || values.length != example.examples.size()) {
            throw new IllegalStateException(
                    example + " with " + values.length + " values is on the page " + found.size() + " times");
        }
        String statement = found.get(0);
        for (int i = 0; i < values.length; i++) {
            String value = example.examples.get(i);
            if (!statement.contains(value)) {
                throw new IllegalStateException("The page has no " + value + " in " + statement);
            }
            statement = statement.replace(value, values[i]);
        }
        return statement;
    }
}

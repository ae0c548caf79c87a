package io.idempotency.cli;

import io.idempotency.store.Printable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.json.JsonMapper;

/** Prints results to stdout, and everything else to stderr. Foreign text is shown escaped. */
record Output(PrintWriter out, PrintWriter err, Format format) {

    /** How results look. */
    enum Format {
        table,
        json
    }

    private static final int MOST_CHARS_OF_CELL = 100;

    /** Escapes whatever is not ASCII, so what does not show as itself is seen. */
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private static String json(Object value) {
        return JSON.writeValueAsString(value);
    }

    /** Prints rows: as a table with a header, or as an array. */
    void list(List<Fields> rows) {
        if (format == Format.json) {
            out.println(json(rows));
        } else if (!rows.isEmpty()) {
            table(rows);
        }
        out.flush();
    }

    private void table(List<Fields> rows) {
        List<List<String>> lines = new ArrayList<>();
        lines.add(rows.get(0).values().keySet().stream().map(Output::words).toList());
        rows.forEach(row ->
                lines.add(row.values().values().stream().map(Output::cell).toList()));
        int columns = lines.get(0).size();
        int[] widths = new int[columns];
        for (List<String> line : lines) {
            for (int column = 0; column < columns; column++) {
                widths[column] = Math.max(widths[column], line.get(column).length());
            }
        }
        for (List<String> line : lines) {
            StringBuilder text = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                String cell = line.get(column);
                text.append(cell).append(" ".repeat(widths[column] - cell.length() + 2));
            }
            out.println(text.toString().stripTrailing());
        }
    }

    private static String cell(@Nullable Object value) {
        String text = shown(value);
        return text.length() > MOST_CHARS_OF_CELL ? text.substring(0, MOST_CHARS_OF_CELL - 1) + "…" : text;
    }

    /** Prints one thing: a line for each field, or an object. Lines of a text stay lines. */
    void one(Fields fields) {
        if (format == Format.json) {
            out.println(json(fields));
        } else {
            fields.values().forEach((name, value) -> line(words(name), value));
        }
        out.flush();
    }

    private void line(String name, @Nullable Object value) {
        String[] lines = value instanceof String text ? text.split("\\R", -1) : new String[] {shown(value)};
        if (lines.length == 1) {
            out.println(name + ": " + Printable.of(lines[0]));
            return;
        }
        out.println(name + ":");
        for (String each : lines) {
            out.println("    " + Printable.of(each.replace("\t", "    ")));
        }
    }

    /** Prints the result of an act: a sentence, or an object. */
    void result(String sentence, Fields fields) {
        out.println(format == Format.json ? json(fields) : Failures.oneLine(sentence));
        out.flush();
    }

    /** Prints text as it is. */
    void text(String text) {
        out.println(text);
        out.flush();
    }

    /** Returns whether stdout takes nothing any more, such as a pipe without a reader or a full disk. */
    boolean isBroken() {
        return out.checkError() || System.out.checkError();
    }

    /** Tells something that is not the result. */
    void note(String sentence) {
        err.println(Failures.oneLine(sentence));
        err.flush();
    }

    private static String shown(@Nullable Object value) {
        if (value == null) {
            return "-";
        }
        if (value instanceof Fields fields) {
            return shown(fields.values());
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(each -> shown(each.getKey()) + " " + shown(each.getValue()))
                    .collect(Collectors.joining(", "));
        }
        if (value instanceof Collection<?> values) {
            return values.stream().map(Output::shown).collect(Collectors.joining(", "));
        }
        return Printable.of(value.toString());
    }

    /** Returns a name such as {@code firstAt} in words. */
    private static String words(String name) {
        return name.replaceAll("([a-z])([A-Z])", "$1 $2").toLowerCase(Locale.ROOT);
    }
}

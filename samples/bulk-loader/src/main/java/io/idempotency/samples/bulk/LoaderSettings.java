package io.idempotency.samples.bulk;

import io.idempotency.ConsistencyLevel;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Pattern;
import tools.jackson.core.JsonPointer;

/**
 * What a loader is told, by a file of properties:
 *
 * <pre>
 * name = orders                     # of the consumer; ids are remembered under it
 * kafka.bootstrap.servers = localhost:9092
 * topic = orders
 * jdbc.url = jdbc:postgresql://localhost/warehouse
 * table = warehouse.orders
 * columns = id=/id, customer=/customer/name, cents=/cents    # column = pointer to a field
 * format = json                     # or avro, or avro-single-object
 * avro.schema = orders.avsc         # the file with the schema, for Avro
 * level = STRONG                    # or AT_LEAST_ONCE, AT_MOST_ONCE, NONE
 * store = table                     # or journal, for topics with keys
 * batch.records = 50000
 * batch.time = 5s
 * attempts = 2                      # then a row is quarantined
 * </pre>
 *
 * @param kafka everything that begins with {@code kafka.}
 * @param values how the values of the topic are read
 */
record LoaderSettings(
        String name,
        Map<String, Object> kafka,
        String topic,
        Access database,
        Target target,
        Values values,
        ConsistencyLevel level,
        boolean isJournal,
        int batchRecords,
        Duration batchTime,
        int attempts) {

    /** Where the database is, and who enters. */
    record Access(String url, String user, String password) {}

    /**
     * Where the rows go.
     *
     * @param columns pointers by columns, in their order
     */
    record Target(String table, Map<String, JsonPointer> columns) {

        String copy() {
            return "copy " + table + " (" + String.join(", ", columns.keySet()) + ") from stdin";
        }
    }

    private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)?");
    private static final String KAFKA = "kafka.";

    /** A setting that cannot be used. */
    static final class InvalidException extends RuntimeException {

        private static final long serialVersionUID = 1;

        InvalidException(String message) {
            super(message);
        }
    }

    static LoaderSettings read(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        }
        return of(properties);
    }

    /** @throws InvalidException naming the setting that is missing or wrong */
    static LoaderSettings of(Properties properties) {
        String name = required(properties, "name");
        Map<String, Object> kafka = new LinkedHashMap<>();
        kafka.put("group.id", name);
        kafka.put("auto.offset.reset", "earliest");
        kafka.put("isolation.level", "read_committed");
        int batchRecords = number(properties, "batch.records", 50_000);
        // Fewer, larger polls fill a batch sooner; a batch takes two at least.
        kafka.put("max.poll.records", String.valueOf(Math.max(1, Math.min(5_000, batchRecords / 2))));
        properties.stringPropertyNames().stream()
                .filter(key -> key.startsWith(KAFKA))
                .forEach(key -> kafka.put(key.substring(KAFKA.length()), properties.getProperty(key)));
        if (!kafka.containsKey("bootstrap.servers")) {
            throw new InvalidException("kafka.bootstrap.servers is missing");
        }
        String store = properties.getProperty("store", "table");
        if (!store.equals("table") && !store.equals("journal")) {
            throw new InvalidException("store is table or journal, not " + store);
        }
        Values values = values(properties);
        return new LoaderSettings(
                name,
                kafka,
                required(properties, "topic"),
                new Access(
                        required(properties, "jdbc.url"),
                        properties.getProperty("jdbc.user", ""),
                        properties.getProperty("jdbc.password", "")),
                new Target(
                        identifier("table", required(properties, "table")),
                        columns(required(properties, "columns"), values)),
                values,
                level(properties.getProperty("level", "STRONG")),
                store.equals("journal"),
                batchRecords,
                duration(properties.getProperty("batch.time", "5s")),
                number(properties, "attempts", 2));
    }

    private static String required(Properties properties, String key) {
        return Optional.ofNullable(properties.getProperty(key))
                .map(String::trim)
                .filter(value -> !value.isEmpty())
                .orElseThrow(() -> new InvalidException(key + " is missing"));
    }

    private static String identifier(String key, String value) {
        if (!IDENTIFIER.matcher(value).matches()) {
            throw new InvalidException(key + " is a plain name, perhaps with a schema, not " + value);
        }
        return value;
    }

    private static Values values(Properties properties) {
        String format = properties.getProperty("format", "json").trim();
        return switch (format) {
            case "json" -> Values.json();
            case "avro", "avro-single-object" ->
                AvroValues.of(Path.of(required(properties, "avro.schema")), format.equals("avro-single-object"));
            default -> throw new InvalidException("format is json, avro or avro-single-object, not " + format);
        };
    }

    private static Map<String, JsonPointer> columns(String text, Values values) {
        Map<String, JsonPointer> columns = new LinkedHashMap<>();
        for (String each : text.split(",", -1)) {
            String[] parts = each.trim().split("\\s*=\\s*", 2);
            if (parts.length < 2 || !parts[1].startsWith("/")) {
                throw new InvalidException(
                        "columns has entries such as cents=/cents, a column and a JSON pointer, not " + each.trim());
            }
            JsonPointer pointer = JsonPointer.compile(parts[1]);
            if (!values.mayHave(pointer)) {
                throw new InvalidException("columns names " + parts[1] + ", which the schema does not have");
            }
            columns.put(identifier("a column", parts[0]), pointer);
        }
        return columns;
    }

    private static ConsistencyLevel level(String text) {
        return Arrays.stream(ConsistencyLevel.values())
                .filter(level -> level.name().equals(text.trim().toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new InvalidException(
                        "level is one of " + Arrays.toString(ConsistencyLevel.values()) + ", not " + text));
    }

    private static int number(Properties properties, String key, int otherwise) {
        String text = properties.getProperty(key, String.valueOf(otherwise)).trim();
        try {
            int number = Integer.parseInt(text);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new InvalidException(key + " is a positive number, not " + text);
        }
        throw new InvalidException(key + " is a positive number, not " + text);
    }

    private static Duration duration(String text) {
        try {
            Duration duration = Duration.parse("PT" + text.trim());
            if (!duration.isNegative() && !duration.isZero()) {
                return duration;
            }
        } catch (java.time.format.DateTimeParseException e) {
            throw new InvalidException("batch.time is a time such as 5s or 1m, not " + text);
        }
        throw new InvalidException("batch.time is a time such as 5s or 1m, not " + text);
    }
}

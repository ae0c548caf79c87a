package io.idempotency.spring.endpoint;

import io.idempotency.store.MessageId;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineSelection;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The parameters of a request as text. What cannot be read ends in a {@link RefusedException} that names the parameter. Immutable. */
final class Arguments {

    private static final int MOST_CHARS_NAMED = 40;

    private final Map<String, String> values;

    private Arguments(Map<String, String> values) {
        this.values = values;
    }

    /** Returns the parameters by names and values in turn; one without a value is absent, and so is an empty one. */
    static Arguments of(@Nullable String... namesAndValues) {
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            String name = namesAndValues[i];
            String value = namesAndValues[i + 1];
            if (name != null && value != null && !value.isEmpty()) {
                values.put(name, value);
            }
        }
        return new Arguments(values);
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(values.get(name));
    }

    String required(String name) {
        return text(name)
                .orElseThrow(
                        () -> RefusedException.badInput("The parameter " + name + " is missing: give it a value."));
    }

    boolean has(String... names) {
        for (String name : names) {
            if (values.containsKey(name)) {
                return true;
            }
        }
        return false;
    }

    /** Returns the name of the consumer. */
    String consumer() {
        return MessageId.requireConsumer(required("consumer"));
    }

    Optional<Instant> instant(String name) {
        try {
            return text(name).map(Instant::parse);
        } catch (DateTimeParseException e) {
            throw unreadable(name, "a moment such as 2026-11-28T09:00:00Z");
        }
    }

    boolean flag(String name) {
        String value = values.getOrDefault(name, "false");
        if (!value.equals("true") && !value.equals("false")) {
            throw unreadable(name, "true or false");
        }
        return value.equals("true");
    }

    /** Returns a number between 1 and the greatest one. */
    int limit(String name, int otherwise, int most) {
        Optional<Integer> given = number(name, Integer::valueOf);
        if (given.isPresent() && (given.get() < 1 || given.get() > most)) {
            throw unreadable(name, "a number from 1 to " + most);
        }
        return given.orElse(otherwise);
    }

    /** Returns a number above zero. */
    int positive(String name, int otherwise) {
        return limit(name, otherwise, Integer.MAX_VALUE);
    }

    <N extends Number> N required(String name, Function<String, N> parse) {
        required(name);
        return number(name, parse).orElseThrow();
    }

    /** Refuses a parameter that an act does not have: a condition that is ignored would choose too much. */
    void allowOnly(String act, Collection<String> names) {
        List<String> others =
                values.keySet().stream().filter(name -> !names.contains(name)).toList();
        if (!others.isEmpty()) {
            throw RefusedException.badInput("The act " + act + " has no parameter " + String.join(", ", others)
                    + ": it has " + String.join(", ", names) + ". Nothing was done.");
        }
    }

    /** Refuses a request that gives none of several ways to say what is meant, or more than one. */
    void requireOneOf(String otherwise, boolean... given) {
        int count = 0;
        for (boolean each : given) {
            count += each ? 1 : 0;
        }
        if (count != 1) {
            throw RefusedException.badInput(otherwise);
        }
    }

    <N extends Number> Optional<N> number(String name, Function<String, N> parse) {
        try {
            return text(name).map(parse);
        } catch (NumberFormatException e) {
            throw unreadable(name, "a whole number");
        }
    }

    /** Returns the quarantined messages of the consumer that are asked for; all of its messages without conditions. */
    QuarantineSelection selection() {
        QuarantineSelection chosen = QuarantineSelection.of(consumer());
        chosen = text("failureType").map(chosen::failureType).orElse(chosen);
        chosen = text("failureGroup").map(chosen::failureGroup).orElse(chosen);
        chosen = instant("from").map(chosen::from).orElse(chosen);
        chosen = instant("to").map(chosen::to).orElse(chosen);
        chosen = text("topic").map(chosen::stream).orElse(chosen);
        chosen = number("partition", Integer::valueOf).map(chosen::partition).orElse(chosen);
        if (!has("firstOffset", "lastOffset")) {
            return chosen;
        }
        return chosen.offsets(
                number("firstOffset", Long::valueOf).orElse(0L),
                number("lastOffset", Long::valueOf).orElse(Long.MAX_VALUE));
    }

    private RefusedException unreadable(String name, String expected) {
        String value = values.getOrDefault(name, "");
        String start = value.length() > MOST_CHARS_NAMED ? value.substring(0, MOST_CHARS_NAMED) + "…" : value;
        return RefusedException.badInput(
                "The parameter " + name + " must be " + expected + ", not \"" + Printable.of(start) + "\".");
    }
}
